import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { requireConfig } from '../../../../src/core/config/check.ts';
import { diffConfig } from '../../../../src/core/config/diff.ts';
import { dumpConfig } from '../../../../src/core/config/dump.ts';
import { standard } from '../../../../src/standard.ts';
import { load } from './support.ts';

const examples = ['bolt-client', 'bolt-server', 'http', 'layer4'].map(
  (name) => JSON.parse(readFileSync(`test/golden/mosn/${name}.json`, 'utf8')) as unknown,
);

/** Every place in a value, as a path. */
function placesOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [
    path,
    ...[...keys].flatMap((key) => placesOf((value as Record<string, unknown>)[key], [...path, key])),
  ];
}

function withValueAt(value: unknown, path: readonly (string | number)[], changed: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return changed;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = withValueAt(copy[key], rest, changed);
  return copy;
}

test('whatever stands in a place of a MOSN file, the outcome is a configuration or problems, never a throw', (t) => {
  const places = examples.flatMap((example) => placesOf(example).map((path) => ({ example, path })));
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.jsonValue({ maxDepth: 2 }),
      fc.boolean(),
      ({ example, path }, value, lenient) => {
        const changed = path.length === 0 ? { servers: value } : withValueAt(example, path, value);
        const { config, problems } = load(changed as object, { lenient });
        t.true(config !== null || problems.length > 0);
        if (config === null) return;
        // What was made of it is a native configuration that means the same.
        const again = requireConfig(JSON.parse(JSON.stringify(dumpConfig(config))), standard);
        t.true(diffConfig(config, again).isEqual);
      },
    ),
    { numRuns: 300, seed: 3 },
  );
  t.pass();
});
