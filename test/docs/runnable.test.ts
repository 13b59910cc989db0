import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { checkConfig } from '../../src/core/config/check.ts';
import { loadConfigText } from '../../src/core/config/load.ts';
import { formatProblems } from '../../src/core/config/problems.ts';
import { standard } from '../../src/standard.ts';
import { runProgram } from '../fixtures/run-program.ts';
import { codeBlocks, pages } from './code-blocks.ts';

const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

/** `heddle/testing` and the like become the source files that the package's entry points are built from. */
function withSources(text: string): string {
  return text.replaceAll(
    /(from\s+)'heddle(\/[a-z]+)?'/g,
    (_match, from: string, path: string | undefined) => {
      const entry = entries[path === undefined ? '.' : `.${path}`];
      if (typeof entry !== 'object') throw new Error(`heddle${path ?? ''} is no entry point`);
      const source = entry.default.replace('./dist/', '').replace(/\.js$/, '.ts');
      return `${from}'${pathToFileURL(source).href}'`;
    },
  );
}

let runnable = 0;
let checked = 0;

for (const page of pages) {
  const blocks = codeBlocks(page);
  for (const [index, block] of blocks.entries()) {
    const place = `${page}:${block.line}`;
    if (block.info === 'ts runnable') {
      runnable++;
      const next = blocks[index + 1];
      test(`${place} runs and prints what the page says`, async (t) => {
        const { exitCode, stdout, stderr } = await runProgram(['--input-type=module-typescript', '-'], {
          input: withSources(block.text),
        });
        t.is(stderr, '');
        t.is(exitCode, 0);
        if (next?.info === 'text output') t.is(stdout.trim(), next.text.trim());
      });
    } else if (block.info === 'yaml config') {
      checked++;
      test(`${place} is a configuration without problems`, (t) => {
        const { problems } = loadConfigText(block.text, { path: place }, standard);
        t.is(formatProblems(problems), '');
      });
    }
  }
}

test('there are blocks to run and to check', (t) => {
  t.true(runnable >= 8, String(runnable));
  t.true(checked >= 1, String(checked));
});

test('the defaults that SECURITY.md names are the defaults', (t) => {
  const { config } = checkConfig(
    {
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ cluster: 'app' }] }],
        },
      ],
      clusters: [{ name: 'app', endpoints: ['127.0.0.1:1'] }],
    },
    standard,
  );
  const rows = [...readFileSync('SECURITY.md', 'utf8').matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)];
  t.true(rows.length > 20);
  for (const [, path = '', value = ''] of rows) {
    const words = path.split(/[.[\]]+/).filter((word) => word !== '');
    const actual = words.reduce<unknown>(
      (at, word) => (at as Record<string, unknown> | undefined)?.[word],
      config,
    );
    t.is(JSON.stringify(actual), value, path);
  }
});
