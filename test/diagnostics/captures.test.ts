import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { enforceBounds, openDirectory, writePrivate } from '../../src/diagnostics/captures/directory.ts';
import { oldSpaceLimitBytes } from '../../src/diagnostics/old-space.ts';
import { CaptureBounds } from '../../src/diagnostics/worker/bounds.ts';

const fresh = (): string => mkdtempSync(join(tmpdir(), 'heddle-captures-'));
const bounds = { maxFiles: 3, maxBytes: 1000, maxAgeMs: 60_000 };

function put(directory: string, name: string, bytes: number, ageMs: number): void {
  const path = join(directory, name);
  writeFileSync(path, 'x'.repeat(bytes));
  const at = (1_000_000_000 - ageMs) / 1000;
  utimesSync(path, at, at);
}

test('the oldest captures go first, by age, count and size, and nobody else’s files', (t) => {
  const directory = fresh();
  put(directory, 'shop-1-t0-cpu-20260101T000000.000Z-e1.pb.gz', 10, 70_000);
  put(directory, 'shop-1-20260101T000001.000Z-e2.verdict.md', 600, 50_000);
  put(directory, 'shop-1-t0-cpu-20260101T000002.000Z-e3.pb.gz', 600, 40_000);
  put(directory, 'shop-1-t0-heap-20260101T000003.000Z-e4.pb.gz', 100, 30_000);
  put(directory, 'my-own-notes.json', 5000, 999_999);
  t.is(enforceBounds(directory, bounds, 1_000_000_000), 2);
  t.deepEqual(readdirSync(directory).toSorted(), [
    'my-own-notes.json',
    'shop-1-t0-cpu-20260101T000002.000Z-e3.pb.gz',
    'shop-1-t0-heap-20260101T000003.000Z-e4.pb.gz',
  ]);
});

test('what a killed process left half-written goes, unless it may still be written', (t) => {
  const directory = fresh();
  put(directory, '17-1700000000000-coroutines.heapsnapshot', 5000, 700_000);
  put(directory, '17-1700000000001-snapshot.heapsnapshot', 5000, 5000);
  put(directory, 'shop-1-20260101T000001.000Z-e2.verdict.json.part', 10, 700_000);
  put(directory, 'notes.part', 10, 700_000);
  enforceBounds(directory, bounds, 1_000_000_000);
  t.deepEqual(readdirSync(directory).toSorted(), ['17-1700000000001-snapshot.heapsnapshot', 'notes.part']);
});

test('files are private and never overwrite one that is there', (t) => {
  const path = join(fresh(), 'a');
  writePrivate(path, 'secret');
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('of a file that could not be written nothing is left', (t) => {
  const directory = fresh();
  mkdirSync(join(directory, 'a', 'taken'), { recursive: true });
  t.throws(() => writePrivate(join(directory, 'a'), 'secret'), { message: /EISDIR|ENOTEMPTY/ });
  t.deepEqual(readdirSync(directory), ['a']);
});

test('a directory that was cleaned away is made again, private as before', (t) => {
  const directory = join(fresh(), 'profiles');
  writePrivate(join(directory, 'a'), 'secret');
  t.is(statSync(directory).mode & 0o777, 0o700);
  t.throws(() => writePrivate('/proc/none/a', 'secret'), { code: 'ERR_MONITOR_DIRECTORY' });
});

test('a directory that cannot be made or that is a link in a shared place is refused by name', (t) => {
  t.throws(() => openDirectory('/proc/nowhere/deep'), {
    code: 'ERR_MONITOR_DIRECTORY',
    message: /\/proc\/nowhere/,
  });
  const file = join(fresh(), 'file');
  writeFileSync(file, '');
  t.throws(() => openDirectory(join(file, 'below')), { code: 'ERR_MONITOR_DIRECTORY' });
  const shared = fresh();
  mkdirSync(join(shared, 'real'));
  symlinkSync(join(shared, 'real'), join(shared, 'link'));
  t.notThrows(() => openDirectory(join(shared, 'link')));
});

test('captures of an hour are bounded, and used-up profile time leaves the ring', (t) => {
  const limits = new CaptureBounds({ capturesPerHour: 3, profileMsPerHour: 5000 });
  t.is(limits.allows(0), 'full');
  limits.spend(0, 5000);
  t.is(limits.allows(1000), 'ring');
  for (const atMs of [1000, 2000]) limits.spend(atMs, 0);
  t.is(limits.allows(2500), 'ring');
  limits.spend(2500, 0);
  t.is(limits.allows(3000), 'nothing', 'that is bounded as well');
  t.is(limits.allows(3_600_000), 'full');
});

test('used-up captures leave the ring, too', (t) => {
  const limits = new CaptureBounds({ capturesPerHour: 2, profileMsPerHour: 1e9 });
  for (const atMs of [0, 10]) limits.spend(atMs, 100);
  t.is(limits.allows(20), 'ring');
  for (const atMs of [20, 30]) limits.spend(atMs, 0);
  t.is(limits.allows(40), 'nothing');
});

test('the limit of the heap is what V8 dies at, not what it reports', (t) => {
  const mb = 1024 * 1024;
  t.is(oldSpaceLimitBytes(392 * mb, '--max-old-space-size=200', 24), 200 * mb);
  t.is(oldSpaceLimitBytes(4288 * mb, '', 24), 4096 * mb);
  t.is(oldSpaceLimitBytes(4144 * mb, '', 22), 4096 * mb);
  t.is(oldSpaceLimitBytes(4288 * mb, '--max_old_space_size 300', 24), 300 * mb);
});
