import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readRulesFile } from '../../bin/monitor/options.ts';
import { monitorSettingNames } from '../../src/diagnostics/index.ts';

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
