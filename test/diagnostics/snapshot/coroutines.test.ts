import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { decodePprof, encodePprof, toFolded } from '../../../src/diagnostics/pprof/index.ts';
import { coroutinesIn, coroutinesOf, readSnapshot } from '../../../src/diagnostics/snapshot/index.ts';

const run = promisify(execFile);
const fixture = new URL('../../fixtures/diagnostics/coroutines.ts', import.meta.url).pathname;
let directory = '';
let snapshot = '';

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heddle-snapshot-'));
  snapshot = join(directory, 'app.heapsnapshot');
  await run(process.execPath, [fixture, snapshot], { env: { ...process.env, NODE_V8_COVERAGE: undefined } });
});
test.after.always(() => rm(directory, { recursive: true, force: true }));

test('every suspended async function is dumped in its await chain, with exact counts', async (t) => {
  const profile = await coroutinesOf(snapshot);
  t.deepEqual(toFolded(profile).trimEnd().split('\n'), [
    'handleRequest;callBackend;waitForUpstream 700',
    'withLock;[Lock.waiters] 40',
    'readShared;waitForUpstream 30',
    'both;callBackend;waitForUpstream 1',
    'both;sleep;[Timeout] 1',
    'chained;waitForUpstream 1',
    'readPages;pages 1',
    'throughPlainReturn;waitForUpstream 1',
  ]);
});

test('each coroutine counts once, also the one that thirty others await', async (t) => {
  const profile = await coroutinesOf(snapshot);
  const column = profile.sampleTypes.findIndex(({ type }) => type === 'coroutines');
  const counts = toFolded(profile, { sampleType: column });
  t.true(counts.includes('\nreadShared 30\n'));
  t.true(counts.includes('\nreadShared;waitForUpstream 1\n'));
  t.true(counts.includes('handleRequest;callBackend 700\n'));
});

test('frames name the file and line of the function', async (t) => {
  const { frames } = await coroutinesOf(snapshot);
  const frame = frames.find(({ name }) => name === 'callBackend');
  t.is(frame?.url, new URL('../../fixtures/diagnostics/coroutines.ts', import.meta.url).href);
  const source = (await readFile(fixture, 'utf8')).split('\n');
  t.true(source[(frame?.line ?? 0) - 1]?.includes('const callBackend'));
});

test('the dump survives the way through pprof', async (t) => {
  const profile = await coroutinesOf(snapshot, { startMs: 1000, labels: { service: 'shop' } });
  const again = decodePprof(encodePprof(profile));
  t.is(again.kind, 'coroutines');
  t.is(toFolded(again), toFolded(profile));
  t.deepEqual(again.samples[0]?.labels, { service: 'shop' });
});

test('a snapshot read in pieces of any size gives the same graph', async (t) => {
  const whole = toFolded(coroutinesIn(await readSnapshot(snapshot)));
  for (const chunkBytes of [4093, 65_537]) {
    t.is(toFolded(coroutinesIn(await readSnapshot(snapshot, { chunkBytes }))), whole);
  }
});

test('what is no complete snapshot is refused with the reason', async (t) => {
  const bytes = await readFile(snapshot);
  const broken = join(directory, 'broken.heapsnapshot');
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ['empty', Buffer.alloc(0), /has no "nodes"/],
    ['text', Buffer.from('hello, this is text'), /does not begin with/],
    ['cut in the strings', bytes.subarray(0, bytes.length - 100), /ends early/],
    ['cut in the nodes', bytes.subarray(0, 20_000), /has no "edges"/],
    [
      'wrong counts',
      Buffer.from(bytes.toString('latin1').replace(/"node_count":\d+/, '"node_count":9'), 'latin1'),
      /./,
    ],
    [
      'hostile counts',
      Buffer.from('{"snapshot":{"meta":{},"node_count":1e15,"edge_count":3}}'),
      /out of bounds/,
    ],
  ];
  for (const [name, content, reason] of cases) {
    await writeFile(broken, content);
    const error = await t.throwsAsync(coroutinesOf(broken), { code: 'ERR_SNAPSHOT_INVALID' }, name);
    t.regex(error?.message ?? '', reason, name);
  }
});
