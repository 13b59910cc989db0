import { readFileSync } from 'node:fs';
import test from 'ava';
import { version } from '../src/version.ts';

test('src/version.ts and package.json name the same version', (t) => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  t.is(version, (JSON.parse(text) as { version: string }).version);
});
