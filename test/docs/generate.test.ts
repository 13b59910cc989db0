import { readFileSync } from 'node:fs';
import test from 'ava';
import { generatedFiles } from '../../docs/generate/files.ts';
import { errorCodes } from '../../src/core/base/error-codes.ts';

for (const [path, text] of Object.entries(generatedFiles())) {
  test(`${path} is what "npm run generate" makes`, (t) => {
    t.is(readFileSync(path, 'utf8'), text);
  });
}

test('every error code has its row', (t) => {
  const page = readFileSync('docs/errors.md', 'utf8');
  for (const code of Object.keys(errorCodes)) t.true(page.includes(`| \`${code}\` |`), code);
});
