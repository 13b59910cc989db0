import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { phases } from '../../src/core/contract/phase.ts';
import { standard } from '../../src/index.ts';
import { runProgram } from '../fixtures/run-program.ts';
import { codeBlocks, pages, proseOf, readPage } from './code-blocks.ts';

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string): string[] =>
  [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] as string));

/** Links that lead nowhere, as "page -> target". */
function deadLinks(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
    })
    .map((target) => `${page} -> ${target}`);
}

test('life-of-a-request.md names exactly the phases, in order', (t) => {
  const headings = [...readPage('docs/life-of-a-request.md').matchAll(/^### `(\w+)`$/gm)];
  t.deepEqual(
    headings.map((match) => match[1]),
    [...phases],
  );
});

test('every relative link leads to a file and a heading that exist', (t) => {
  t.true(pages.includes('README.md') && pages.includes('docs/concepts.md'));
  t.deepEqual(pages.flatMap(deadLinks), []);
});

test('the README lists every page of docs', (t) => {
  const readme = readPage('README.md');
  t.deepEqual(
    pages.filter((page) => page.startsWith('docs/') && !readme.includes(`(${page})`)),
    [],
  );
});

test('every "npm run" that a page names is a script', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const named = pages.flatMap((page) => [...readPage(page).matchAll(/npm run ([a-z]+)/g)].map((m) => m[1]));
  t.true(named.length > 0);
  t.deepEqual(
    named.filter((name) => !Object.hasOwn(scripts, name as string)),
    [],
  );
});

test('the README names every built-in filter and the pages their defaults', (t) => {
  const readme = readPage('README.md');
  const guide = readPage('docs/write-a-filter.md');
  for (const { name } of standard.filters) {
    t.true(readme.includes(name), name);
    t.true(guide.includes(`\`${name}\``), name);
  }
});

test('standalone.md has a row for every command line option of run and for every exit code', async (t) => {
  const page = readPage('docs/standalone.md');
  const { stdout } = await runProgram(['bin/heddle.js', 'run', '--help']);
  const options = [...stdout.matchAll(/(--[a-z-]+)/g)].map((match) => match[1] as string);
  t.true(options.includes('--drain-ms'));
  for (const option of options.filter((each) => each !== '--help' && each !== '--config')) {
    t.true(page.includes(option), option);
  }
});

test('the place for measured figures is marked', (t) => {
  t.regex(readPage('README.md'), /<!-- bench:start -->[\s\S]+<!-- bench:end -->/);
});

test('code blocks end', (t) => {
  for (const page of pages) t.notThrows(() => codeBlocks(page));
});
