import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { ProfileBuilder, symbolise } from '../../../src/diagnostics/pprof/index.ts';
import { SourceMap } from '../../../src/diagnostics/pprof/source-map.ts';
import type { Profile, ProfileFrame } from '../../../src/diagnostics/profile-model.ts';

let directory = '';
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heddle-maps-'));
});
test.after.always(() => rm(directory, { recursive: true, force: true }));

const profileOf = (frame: ProfileFrame, line = 0): Profile => {
  const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }]);
  builder.add(builder.child(0, builder.frame(frame), line), [1]);
  return builder.build({ kind: 'cpu' });
};

const vlq = (value: number): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += digits[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
};

/** Segments of one generated line as [column, source, line, column, name?], absolute and 0-based. */
const encodeLine = (segments: readonly number[][]): string => {
  const last = [0, 0, 0, 0, 0];
  const texts = segments.map((segment) =>
    segment
      .map((value, field) => {
        const text = vlq(value - (last[field] as number));
        last[field] = value;
        return text;
      })
      .join(''),
  );
  return texts.join(',');
};

test('a minified function gets its TypeScript name, file and line', async (t) => {
  const generated = join(directory, 'bundle.js');
  const map = {
    version: 3,
    sources: ['../src/orders.ts'],
    names: ['loadOrders'],
    mappings: encodeLine([
      [0, 0, 11, 0],
      [15, 0, 11, 22, 0],
      [16, 0, 11, 32],
    ]),
  };
  await writeFile(generated, 'async function a(b){}\n//# sourceMappingURL=bundle.js.map\n');
  await writeFile(`${generated}.map`, JSON.stringify(map));
  const url = pathToFileURL(generated).href;
  const { frames, tree } = await symbolise(profileOf({ name: 'a', url, line: 1, column: 17 }, 1));
  t.is(frames[0]?.name, 'loadOrders');
  t.is(frames[0]?.url, new URL('../src/orders.ts', url).href);
  t.is(frames[0]?.line, 12);
  t.is(tree.lines[1], 12);
});

test('a minified arrow function is named by what the original text says', async (t) => {
  const generated = join(directory, 'arrow.js');
  const source = 'import x from "x";\nexport const chargeCard = async (order: Order) => x(order);\n';
  const map = {
    version: 3,
    sources: ['arrow.ts'],
    sourcesContent: [source],
    names: [],
    mappings: encodeLine([[8, 0, 1, source.split('\n')[1]?.indexOf('async') ?? 0]]),
  };
  const inline = Buffer.from(JSON.stringify(map)).toString('base64');
  await writeFile(
    generated,
    `const q=async e=>x(e);\n//# sourceMappingURL=data:application/json;base64,${inline}\n`,
  );
  const url = pathToFileURL(generated).href;
  const { frames } = await symbolise(profileOf({ name: 'q', url, line: 1, column: 9 }));
  t.is(frames[0]?.name, 'chargeCard');
  t.is(frames[0]?.line, 2);
});

test('the output of a real TypeScript transform maps back to its lines', async (t) => {
  const source =
    'enum Colour { Red }\n\n\nexport class Shop {\n  private open(door: Colour): Colour {\n    return door;\n  }\n}\n';
  const generated = join(directory, 'shop.js');
  const code = stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true, sourceUrl: 'shop.ts' });
  await writeFile(generated, code);
  const lines = code.split('\n');
  const line = lines.findIndex((text) => text.includes('open(')) + 1;
  const column = (lines[line - 1]?.indexOf('(') ?? 0) + 1;
  const url = pathToFileURL(generated).href;
  const { frames } = await symbolise(profileOf({ name: 'open', url, line, column }));
  t.is(frames[0]?.name, 'open');
  t.is(frames[0]?.line, 5);
});

test('a name that says more than the original text is kept', async (t) => {
  const generated = join(directory, 'method.js');
  const map = {
    version: 3,
    sources: ['method.ts'],
    sourcesContent: ['  load(key: string) {}\n'],
    names: [],
    mappings: encodeLine([[6, 0, 0, 6]]),
  };
  await writeFile(generated, '  load(key) {}\n//# sourceMappingURL=method.js.map');
  await writeFile(`${generated}.map`, JSON.stringify(map));
  const url = pathToFileURL(generated).href;
  const { frames } = await symbolise(profileOf({ name: 'Cache.load', url, line: 1, column: 7 }));
  t.is(frames[0]?.name, 'Cache.load');
});

test('missing, broken and huge maps leave the frame as it is', async (t) => {
  const broken = join(directory, 'broken.js');
  await writeFile(broken, 'f()\n//# sourceMappingURL=broken.js.map');
  await writeFile(`${broken}.map`, '{"version":2}');
  const frame = { name: 'f', url: pathToFileURL(broken).href, line: 1, column: 1 };
  t.deepEqual((await symbolise(profileOf(frame))).frames, [frame]);
  const gone = { ...frame, url: 'file:///no/such/file.js' };
  t.deepEqual((await symbolise(profileOf(gone))).frames, [gone]);
  const remote = { ...frame, url: 'https://example.org/a.js' };
  t.deepEqual((await symbolise(profileOf(remote))).frames, [remote]);
  await writeFile(
    `${broken}.map`,
    JSON.stringify({ version: 3, sources: ['b.ts'], names: [], mappings: 'AAAA' }),
  );
  t.deepEqual((await symbolise(profileOf(frame), { maxMapBytes: 10 })).frames, [frame]);
});

test('sections of an index map are found by their offsets', (t) => {
  const part = (source: string) => ({ version: 3, sources: [source], names: [], mappings: 'AAAA;AACA' });
  const sections = [
    { offset: { line: 0, column: 0 }, map: part('one.ts') },
    { offset: { line: 10, column: 4 }, map: part('two.ts') },
  ];
  const map = new SourceMap(JSON.stringify({ version: 3, sections }), 'index');
  t.is(map.originalOf(2, 1)?.source, 'one.ts');
  t.is(map.originalOf(11, 5)?.source, 'two.ts');
  t.is(map.originalOf(11, 4), undefined);
  t.like(map.originalOf(12, 9), { source: 'two.ts', line: 2, column: 1 });
});

test('a line that was sampled is not told where one generated line holds a whole file', (t) => {
  const lines = [
    [
      [0, 0, 1, 0],
      [40, 0, 200, 0],
    ],
    [
      [0, 0, 30, 0],
      [9, 0, 32, 4],
    ],
    [
      [0, 0, 1, 0],
      [9, 1, 1, 4],
    ],
  ];
  // Each line begins with column 0 again; the other fields go on, so every line is encoded by itself.
  const lineOf = (segments: readonly number[][]): number =>
    new SourceMap(
      JSON.stringify({ version: 3, sources: ['a.ts', 'b.ts'], names: [], mappings: encodeLine(segments) }),
      'x',
    ).tickLineOf(1);
  t.deepEqual(lines.map(lineOf), [0, 31, 0]);
});
