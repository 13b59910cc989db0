import { copyFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  attach,
  type Capture,
  type CaptureFile,
  HeddleError,
  type ProfileFormat,
  type RemoteControl,
  readProfileFile,
  removeStaleSockets,
} from '../../src/diagnostics/index.ts';

import { directoryOption } from './options.ts';
import { takeOut } from './take-out.ts';
import { formatStacks, formatTop, note } from './text.ts';

/** Words of the command line for profile kinds; other kinds go by their own names. */
const kindWords: Readonly<Record<string, string>> = { async: 'pending' };
/** Sampled over the time given; the others show one moment. */
const sampledKinds = new Set(['cpu', 'allocations', 'gc', 'pending', 'buffers']);
const deepKinds = new Set(['coroutines', 'snapshot']);
/** Measured: 20 ms a MiB for large objects up to 130 ms for small ones, while the process stands still. */
const pauseMsPerMiB = { least: 20, most: 130 };

const stacksShown = 5;

export interface CaptureFlags {
  readonly time: number;
  readonly output?: string;
  readonly deep?: boolean;
  readonly maxHeap: number;
  readonly thread?: number;
  readonly directory?: string;
  readonly stay?: boolean;
  readonly json?: boolean;
  readonly format?: ProfileFormat;
}

/** Attaches if need be, takes one profile, prints it and leaves the process as it was found. */
export async function captureNow(pid: number, word: string, flags: CaptureFlags): Promise<void> {
  const kind = kindWords[word] ?? word;
  removeStaleSockets();
  const monitor = directoryOption(flags.directory);
  const { control, wasRunning } = await attach(pid, { monitor: { ...monitor, rules: [], recorder: false } });
  if (wasRunning && flags.directory !== undefined)
    note(`process ${pid} has a monitor already: --directory has no effect`);
  try {
    if (deepKinds.has(kind)) await warnOfPause(control, kind, flags);
    tellWait(kind, wasRunning, pid, flags);
    if (kind === 'heap' && !wasRunning) await delay(flags.time);
    const capture = await control.capture({
      kinds: [kind],
      durationMs: flags.time,
      deep: flags.deep === true,
      maxHeapBytes: flags.maxHeap * 2 ** 20,
      reason: `heddle profile ${pid} ${word}`,
      ...(flags.thread !== undefined && { threadId: flags.thread }),
    });
    await show(capture, kind, flags);
  } finally {
    if (wasRunning || flags.stay) control.close();
    else await takeOut(control);
  }
}

/** A command that is silent for seconds looks as if it hung; and what it cannot see must not look like nothing. */
function tellWait(kind: string, wasRunning: boolean, pid: number, flags: CaptureFlags): void {
  const seconds = `${flags.time / 1000} s`;
  if (kind === 'heap' && !wasRunning)
    note(`sampling allocations for ${seconds}: what was there before is not seen`);
  else if (kind === 'pending' && !wasRunning)
    note(`following async work for ${seconds}: what began before is not seen, "coroutines --deep" shows it`);
  else if (sampledKinds.has(kind)) note(`sampling for ${seconds}`);
  else if (kind === 'before' && !wasRunning) {
    throw new HeddleError(
      'ERR_MONITOR_CAPTURE',
      `no flight recorder has run in process ${pid}; "heddle watch ${pid} --stay --for 1s" leaves one there`,
    );
  }
}

async function warnOfPause(control: RemoteControl, kind: string, flags: CaptureFlags): Promise<void> {
  const { latest } = await control.status();
  const usedMiB = (latest?.values['heapUsedBytes'] ?? 0) / 2 ** 20;
  const [least, most] = [pauseMsPerMiB.least, pauseMsPerMiB.most].map((ms) =>
    ((usedMiB * ms) / 1000).toFixed(1),
  );
  const estimate =
    usedMiB === 0 ? 'some seconds' : `${least} to ${most} s (heap of ${usedMiB.toFixed(0)} MiB)`;
  if (!flags.deep) {
    const detail = `"${kind}" stops the process for ${estimate}; say --deep to accept that`;
    throw new HeddleError('ERR_OPTION_INVALID', detail, { source: 'config' });
  }
  note(`the process stands still for about ${estimate}; the file holds whatever its memory holds`);
}

async function show(capture: Capture, kind: string, flags: CaptureFlags): Promise<void> {
  const file =
    capture.files.find((candidate) => candidate.kind === kind) ??
    capture.files.find(({ kind }) => kind !== 'verdict');
  if (file === undefined) {
    const { missing = [] } = capture.verdict as { missing?: readonly string[] };
    throw new HeddleError(
      'ERR_MONITOR_CAPTURE',
      `no ${kind} profile: ${missing.join('; ') || 'nothing was seen'}`,
    );
  }
  const path = flags.output ?? file.path;
  if (flags.output !== undefined) copyFileSync(file.path, flags.output);
  if (flags.json) {
    console.log(JSON.stringify({ ...capture, path }));
    return;
  }
  if (file.format === 'pprof') {
    const profile = await readProfileFile(file.path);
    if (kind === 'stack' && profile.samples.length > 0) console.log(formatStacks(profile, stacksShown));
    else console.log(formatTop(profile, { limit: 15, by: 'flat' }));
  }
  console.log(path);
  for (const other of capture.files)
    if (kind === 'in-flight' && other.kind === 'streams') await showToo(other);
  // The other threads were sampled in the same time.
  for (const other of capture.files)
    if (other !== file && other.kind === file.kind) note(`${threadOf(other)}: ${other.path}`);
}

/** The streams of a mesh wait beside the requests of the program itself. */
async function showToo({ path }: CaptureFile): Promise<void> {
  console.log(formatTop(await readProfileFile(path), { limit: 15, by: 'flat' }));
  console.log(path);
}

const threadOf = ({ threadId }: CaptureFile): string =>
  threadId < 0 ? 'all threads' : threadId === 0 ? 'main thread' : `worker ${threadId}`;
