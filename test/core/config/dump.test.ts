import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import * as v from 'valibot';
import { stringify } from 'yaml';
import { requireConfig } from '../../../src/core/config/check.ts';
import { diffConfig } from '../../../src/core/config/diff.ts';
import { dumpConfig } from '../../../src/core/config/dump.ts';
import type { ExtensionSet } from '../../../src/core/config/extensions.ts';
import { loadConfigText } from '../../../src/core/config/load.ts';
import type { EffectiveConfig } from '../../../src/core/contract/config.ts';
import { fakeExtensions, fakeFilter } from './support.ts';

const delay = v.strictObject({
  after: v.pipe(
    v.string(),
    v.transform((text) => ({ ms: Number.parseInt(text, 10) * 1000 })),
  ),
});
const extensions = (): ExtensionSet => {
  const set = fakeExtensions();
  return { ...set, filters: [...set.filters, fakeFilter('delay', delay)] };
};
const folder = 'test/golden/config';

function load(text: string, path: string): EffectiveConfig {
  const { config, problems } = loadConfigText(text, { path }, extensions());
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const config = () => load(readFileSync(`${folder}/${file}`, 'utf8'), file);

  test(`the dump of ${file} is as committed`, (t) => {
    const golden = readFileSync(`${folder}/${file.replace('.yaml', '.dump.json')}`, 'utf8');
    t.is(JSON.stringify(dumpConfig(config()), null, 2), JSON.stringify(JSON.parse(golden), null, 2));
  });

  test(`the dump of ${file} loads as the same configuration, from JSON and from YAML, and dumps the same again`, (t) => {
    const first = config();
    const dump = dumpConfig(first, { secrets: 'reveal' });
    for (const [text, path] of [
      [JSON.stringify(dump), 'a.json'],
      [stringify(dump), 'a.yaml'],
    ] as const) {
      const again = load(text, path);
      t.deepEqual(again, first);
      t.true(diffConfig(first, again).isEqual);
      t.deepEqual(dumpConfig(again, { secrets: 'reveal' }), dump);
    }
  });
}

test('secrets are redacted unless they are asked for', (t) => {
  const config = requireConfig({ admin: { address: 'unix:/a', token: 'hunter2' } }, extensions());
  t.like(dumpConfig(config), { admin: { token: '[redacted]' } });
  t.like(dumpConfig(config, { secrets: 'reveal' }), { admin: { token: 'hunter2' } });
});

test('a difference names the objects and their keys that changed', (t) => {
  const cluster = (name: string, more: object = {}) => ({ name, ...more });
  const before = requireConfig(
    { clusters: [cluster('same'), cluster('gone'), cluster('other')], admin: { address: 'a:1', token: 'x' } },
    extensions(),
  );
  const after = requireConfig(
    {
      clusters: [
        cluster('new'),
        cluster('other', { pool: { preconnect: 1 }, endpoints: ['a:1'] }),
        { name: 'same' },
      ],
      admin: { token: 'y', address: 'a:1' },
      log: { level: 'debug' },
    },
    extensions(),
  );
  t.deepEqual(diffConfig(before, after), {
    listeners: { added: [], removed: [], changed: [], unchanged: [] },
    clusters: {
      added: ['new'],
      removed: ['gone'],
      changed: [{ name: 'other', keys: ['endpoints', 'pool'] }],
      unchanged: ['same'],
    },
    parts: ['admin', 'log'],
    isEqual: false,
  });
});

test('a changed extension configuration is a change, also when its schema turns it into no plain data', (t) => {
  const of = (after: string) =>
    requireConfig({ inProcess: { filters: [{ name: 'delay', config: { after } }] } }, extensions());
  t.true(diffConfig(of('5s'), of('5s')).isEqual);
  t.deepEqual(diffConfig(of('5s'), of('6s')).parts, ['inProcess']);
});
