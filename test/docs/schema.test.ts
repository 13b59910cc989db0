import { globSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parse } from 'yaml';
import { presets } from '../../bin/presets/index.ts';
import { requireConfig } from '../../src/core/config/check.ts';
import { dumpConfig } from '../../src/core/config/dump.ts';
import { standard } from '../../src/standard.ts';
import { codeBlocks, pages } from './code-blocks.ts';
import { misfits } from './json-schema.ts';

type Json = { readonly [key: string]: unknown };
const schema = JSON.parse(readFileSync('docs/config.schema.json', 'utf8')) as Json;

/** Configurations that are known to be good, by where they stand. */
function goodTexts(): [place: string, text: string][] {
  const files = globSync('examples/**/*.yaml').filter((path) => !path.includes('services'));
  const blocks = pages.flatMap((page) =>
    codeBlocks(page)
      .filter((block) => block.info === 'yaml config')
      .map((block): [string, string] => [`${page}:${block.line}`, block.text]),
  );
  return [
    ...files.map((path): [string, string] => [path, readFileSync(path, 'utf8')]),
    ...blocks,
    ...Object.entries(presets),
  ];
}

test('the schema takes every configuration of examples, pages and presets', (t) => {
  const texts = goodTexts();
  t.true(texts.length >= 6);
  for (const [place, text] of texts) t.deepEqual(misfits(schema, parse(text) ?? {}), [], place);
});

test('the schema takes a dump, every default in it', (t) => {
  for (const text of Object.values(presets)) {
    const dumped = dumpConfig(requireConfig(parse(text), standard));
    t.deepEqual(misfits(schema, JSON.parse(JSON.stringify(dumped))), []);
  }
});

test('the schema refuses what the check refuses: misspelt keys, wrong types and words, deep inside too', (t) => {
  const gateway = parse(presets['gateway'] as string) as Json;
  const bad: [Json, RegExp][] = [
    [{ ...gateway, listners: [] }, /listners: no such key/],
    [{ ...gateway, log: { level: 'loud' } }, /log\.level/],
    [{ listeners: [{ name: 'a' }] }, /address: missing/],
    [{ clusters: [{ name: 'a', endpoints: 'b' }] }, /endpoints/],
    [{ clusters: [{ name: 'a', pool: { preconect: 1 } }] }, /preconect: no such key/],
    [{ clusters: [{ name: 'a', loadBalancer: 'best' }] }, /loadBalancer/],
    [
      { inProcess: { filters: [{ name: 'local-rate-limit', config: { bucket: { maxTokens: 0 } } }] } },
      /filters\[0\]/,
    ],
  ];
  for (const [config, problem] of bad) t.regex(misfits(schema, config).join('\n'), problem);
});

test('the schema names every extension and describes every key of its own', (t) => {
  const text = JSON.stringify(schema);
  for (const each of [
    ...standard.codecs,
    ...standard.filters,
    ...standard.networkFilters,
    ...standard.balancers,
    ...standard.registries,
  ])
    t.true(text.includes(`"${each.name}"`), each.name);
  const parts = schema['$defs'] as Record<string, Json>;
  const bare: string[] = [];
  for (const [name, part] of Object.entries(parts)) {
    for (const [key, property] of Object.entries((part['properties'] ?? {}) as Record<string, Json>))
      if (property['description'] === undefined && name !== 'FilterConfigs') bare.push(`${name}.${key}`);
  }
  t.deepEqual(bare, []);
});
