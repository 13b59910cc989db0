import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ConfigSchema } from '../src/core/contract/extension.ts';
import { standard } from '../src/standard.ts';

interface Listed {
  readonly name: string;
  readonly config?: ConfigSchema<unknown>;
}

const root = fileURLToPath(new URL('../', import.meta.url));
const filesOf = (pattern: string): { path: string; text: string }[] =>
  globSync(pattern, { cwd: root }).map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
const sources = filesOf('src/**/*.ts');
const tests = filesOf('test/**/*.ts');

const kinds = Object.entries(standard) as [string, readonly Listed[]][];
const all = kinds.flatMap(([kind, list]) => list.map((each) => ({ kind, ...each, definition: each })));
const quoted = (name: string): RegExp => new RegExp(`['"\`]${name}['"\`]`);

test('names are unique within their kind and kebab-case or camelCase', (t) => {
  for (const [kind, list] of kinds) {
    t.true(list.length > 0, kind);
    const names = list.map((each) => each.name);
    t.is(new Set(names).size, names.length, kind);
    for (const name of names) t.regex(name, /^[a-z][a-z0-9]*([A-Z][a-z0-9]*|-[a-z0-9]+)*$/, kind);
  }
});

for (const { kind, name, definition } of all) {
  test(`${kind}: ${name} has a schema whose defaults it takes again, a doc comment and a test`, async (t) => {
    const schema = definition.config;
    if (schema !== undefined) await checkDefaults(t, schema);
    const defining = sources.filter(({ text }) => new RegExp(`^ {2}name: '${name}',`, 'm').test(text));
    t.true(defining.length > 0, `a file under src defines ${name}`);
    t.true(
      defining.some(({ text }) => /\*\/\n(export )?(abstract )?(const|class|function) \w+/.test(text)),
      `the file of ${name} says what it is`,
    );
    const mentions = tests.filter(
      ({ path, text }) => path !== 'test/standard.test.ts' && quoted(name).test(text),
    );
    const own = [`test/core/filters/${name}.test.ts`, `test/transport/${name}/${name}.test.ts`];
    if (kind === 'filters')
      t.true(
        own.some((path) => existsSync(`${root}${path}`)),
        own.join(' or '),
      );
    else t.true(mentions.length > 0 || hasSuite(kind, name), `a test names ${name}`);
  });
}

/** Balancers and registries run their shared suite over the whole list; codecs have a folder of tests. */
function hasSuite(kind: string, name: string): boolean {
  if (kind === 'codecs') return existsSync(`${root}test/transport/codecs/${name}/contract.test.ts`);
  return tests.some(({ text }) => text.includes(`standard.${kind}`) || text.includes(`${name}Registry`));
}

/** `{}` is either refused with a reason, or becomes a configuration that the same schema takes unchanged. */
async function checkDefaults(
  t: {
    true(value: boolean, message?: string): void;
    deepEqual(a: unknown, b: unknown, message?: string): void;
  },
  schema: ConfigSchema<unknown>,
): Promise<void> {
  const first = await schema['~standard'].validate({});
  if (first.issues !== undefined) {
    t.true(first.issues.length > 0 && first.issues.every(({ message }) => message.length > 0));
    return;
  }
  const again = await schema['~standard'].validate(JSON.parse(JSON.stringify(first.value)));
  t.true(again.issues === undefined, JSON.stringify(again.issues));
  if (again.issues === undefined) t.deepEqual(JSON.stringify(again.value), JSON.stringify(first.value));
}
