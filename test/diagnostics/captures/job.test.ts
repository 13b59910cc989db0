import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ProfileArtifact } from '../../../src/core/contract/profile-kind.ts';
import { type CaptureJob, runCaptureJob } from '../../../src/diagnostics/captures/job.ts';
import { decodePprof } from '../../../src/diagnostics/pprof/index.ts';
import { isSent } from '../../../src/diagnostics/sinks/post.ts';

/** One function that was sampled ten times in 100 ms. */
const rawOf = (functionName: string): object => ({
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2] },
    { id: 2, callFrame: frame(functionName, 'file:///app/x.js') },
  ],
  startTime: 0,
  endTime: 100_000,
  samples: Array.from({ length: 10 }, () => 2),
  timeDeltas: Array.from({ length: 10 }, () => 10_000),
});
const frame = (functionName: string, url: string): object => ({
  functionName,
  url,
  scriptId: '1',
  lineNumber: 6,
  columnNumber: 0,
});
const cpuOf = (threadId: number, threadName: string, functionName: string): ProfileArtifact => ({
  kind: 'cpu',
  threadId,
  threadName,
  format: 'cpuprofile',
  startMs: 1000,
  durationMs: 100,
  data: rawOf(functionName),
  window: 'during',
});

function jobOf(artifacts: readonly ProfileArtifact[]): CaptureJob {
  const trigger = { rule: 'manual', signal: '', reason: 'asked for', current: 0, average: 0 };
  return {
    id: 'shop-7-1000-e1',
    eventId: 'e1',
    serial: 1,
    service: 'shop',
    pid: 7,
    directory: mkdtempSync(join(tmpdir(), 'heddle-job-')),
    labels: { team: 'red' },
    trigger: { ...trigger, settings: {}, previous: [], atMs: 1000 },
    artifacts,
    samples: [],
    startMs: 1000,
    endMs: 1100,
    troubleMs: 1000,
    stallCpuShare: Number.NaN,
    missing: [],
    bounds: { maxFiles: 100, maxBytes: 1e9, maxAgeMs: 1e9 },
    keepRaw: false,
  };
}

test('threads that were sampled side by side are there each and as one profile that tells them apart', async (t) => {
  const { files, verdict } = await runCaptureJob(
    jobOf([cpuOf(0, 'main', 'serve'), cpuOf(2, 'worker 2 (zip)', 'compress')]),
  );
  const pprof = files.filter(({ format }) => format === 'pprof');
  t.deepEqual(
    pprof.map(({ threadId }) => threadId),
    [0, 2, -1],
  );
  const together = pprof.at(-1);
  t.regex(together?.name ?? '', /^shop-7-all-cpu-/);
  const profile = decodePprof(readFileSync(together?.path ?? ''));
  const threads = profile.samples.map(({ labels }) => labels?.['thread']);
  t.deepEqual(threads.toSorted(), ['main', 'worker 2 (zip)']);
  t.is(profile.durationMs, 100, 'at the same time, not one after the other');
  t.deepEqual(
    files.filter(isSent).map(({ threadId }) => threadId),
    [0, 2],
    'a store of profiles would count it twice',
  );
  const names = (verdict as { profiles: { threadName: string }[] }).profiles.map((one) => one.threadName);
  t.deepEqual(names, ['main', 'worker 2 (zip)', 'all threads']);
});

test('one thread alone has no second profile, and the page of a capture that was asked for names no signal', async (t) => {
  const { files } = await runCaptureJob(jobOf([cpuOf(0, 'main', 'serve')]));
  t.is(files.filter(({ format }) => format === 'pprof').length, 1);
  const page = readFileSync(files.find(({ format }) => format === 'markdown')?.path ?? '', 'utf8');
  t.true(page.includes('On request: asked for.'));
  t.notRegex(page, /(?<!`)``(?!`)/);
});

test('the recorder’s time falls apart where the trouble began; without trouble it is one', async (t) => {
  const recorded: ProfileArtifact = { ...cpuOf(0, 'main', 'serve'), window: 'before' };
  const windowsOf = async (troubleMs: number): Promise<string[]> => {
    const { files } = await runCaptureJob({ ...jobOf([recorded]), troubleMs });
    return files.filter(({ format }) => format === 'pprof').map(({ window }) => window);
  };
  t.deepEqual(await windowsOf(0), ['before']);
  t.deepEqual(await windowsOf(1050), ['before', 'quiet']);
  t.deepEqual(await windowsOf(5000), ['quiet']);
});

test('labels that all samples share are labels of the profile when it is read again', async (t) => {
  const { files } = await runCaptureJob(jobOf([cpuOf(0, 'main', 'serve')]));
  const profile = decodePprof(readFileSync(files[0]?.path ?? ''));
  t.like(profile.labels, { service: 'shop', team: 'red', trigger: 'manual', thread: 'main' });
});

test('the first line of a function is not passed off as the line that ran most', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-source-'));
  const source = join(directory, 'x.js');
  writeFileSync(source, 'one\ntwo\nthree\nfour\nfive\nsix\nfunction serve() {\nwhile (busy) n++;\n}\n');
  const pageOf = async (positionTicks: readonly { line: number; ticks: number }[]): Promise<string> => {
    const raw = rawOf('serve') as { nodes: { callFrame: { url: string }; positionTicks?: unknown }[] };
    for (const node of raw.nodes) {
      if (node.callFrame.url !== '') node.callFrame.url = `file://${source}`;
      if (node.callFrame.url !== '' && positionTicks.length > 0) node.positionTicks = positionTicks;
    }
    const job = jobOf([{ ...cpuOf(0, 'main', 'serve'), data: raw }]);
    const stall = { ...job.trigger, rule: 'stall', signal: 'stallMs', current: 700 };
    const { files } = await runCaptureJob({ ...job, trigger: stall });
    return readFileSync(files.find(({ format }) => format === 'markdown')?.path ?? '', 'utf8');
  };
  t.regex(
    await pageOf([{ line: 8, ticks: 10 }]),
    /the line that ran most is .*x\.js:8: `while \(busy\) n\+\+;`/,
  );
  t.notRegex(await pageOf([]), /the line that ran most/);
});
