import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { readRulesFile } from '../../bin/monitor/options.ts';
import { monitorSettingNames, parseRules, signalCatalogue } from '../../src/diagnostics/index.ts';
import { holmesChecks, holmesDefaults } from '../../src/diagnostics/rules/holmes.ts';

const page = readFileSync(new URL('../../docs/monitor.md', import.meta.url), 'utf8');

test('monitor.md has every setting in its table', (t) => {
  const [, table = ''] = /## Settings\n([\s\S]*?)\n## /.exec(page) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  t.deepEqual(named.toSorted(), [...monitorSettingNames].toSorted());
});

test('the rules file of monitor.md is one', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-docs-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const [, text = ''] = /```yaml\n(# heddle watch --all[\s\S]*?)```/.exec(page) ?? [];
  const path = join(directory, 'rules.yaml');
  writeFileSync(path, text);
  const file = readRulesFile(path);
  t.is(file.match?.length, 3);
  t.is(file.monitor.directory, '/var/lib/heddle/captures');
});

const rulesPage = readFileSync(new URL('../../docs/monitor-rules.md', import.meta.url), 'utf8');

test('monitor-rules.md has every signal with its unit and meaning', (t) => {
  for (const { name, unit, description } of signalCatalogue)
    t.true(rulesPage.includes(`| \`${name}\` | ${unit} | ${description} |`), name);
});

test('the rules of monitor-rules.md are rules of every type, and their settings are all told', (t) => {
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(rulesPage) ?? [];
  const parsed = parseRules((parse(text) as { rules: unknown }).rules);
  if (parsed.mode !== 'default') return t.fail();
  t.deepEqual(
    parsed.rules.map(({ type }) => type),
    ['hold', 'deviation', 'stall', 'slope', 'nearLimit'],
  );
  for (const key of new Set(parsed.rules.flatMap((rule) => Object.keys(rule))))
    t.true(rulesPage.includes(`\`${key}\``), key);
});

test('the numbers of holmes on monitor-rules.md are those that are used', (t) => {
  for (const check of holmesChecks) {
    const { min, diff, abs } = holmesDefaults[check];
    t.regex(rulesPage, new RegExp(`\\| \`${check}\` \\|.*\\| ${min}, ${diff} %, ${abs}`), check);
  }
});
