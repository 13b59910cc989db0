import {
  type MonitorEvent,
  type RemoteControl,
  readProcess,
  type SignalSample,
} from '../../src/diagnostics/index.ts';
import type { Recording } from './recording.ts';
import { captureLine, formatValue, note } from './text.ts';

export interface LiveOptions {
  readonly json: boolean;
  readonly forMs?: number;
  readonly recording: Recording;
}

const shown: readonly (readonly [signal: string, title: string, unit: string])[] = [
  ['cpuPercent', 'cpu %', 'count'],
  ['rssBytes', 'rss', 'bytes'],
  ['threads', 'threads', 'count'],
  ['heapUsedBytes', 'heap', 'bytes'],
  ['loopDelayP99Ms', 'loop p99 ms', 'count'],
  ['gcTimePercent', 'gc %', 'count'],
  ['activeResources', 'resources', 'count'],
  ['serverInFlight', 'in flight', 'count'],
];

/** What is watched: a monitor, or a process seen from outside. */
export interface LiveSource {
  /** `service[pid]` */
  readonly name: string;
  /** Resolves to the function that stops listening. */
  onEvent(listener: (event: MonitorEvent) => void): Promise<() => void>;
  onClose(listener: () => void): void;
  /** Why it is over, as a note. */
  endOf(): string;
  /** Why nothing may be heard of it for so long, as a note. */
  silenceOf?(): string | undefined;
}

/** A monitor tells of itself once a second, with holmes' rules every 5 s. */
const silentAfterMs = 8000;

export const monitorSource = (control: RemoteControl): LiveSource => {
  const { service, pid } = control.hello;
  return {
    name: `${service}[${pid}]`,
    onEvent: (listener) => control.onEvent(listener),
    onClose: (listener) => control.onClose(listener),
    endOf: () =>
      isRunning(control) ? `the monitor of process ${pid} was stopped` : `process ${pid} has ended`,
    silenceOf: () =>
      readProcess(pid)?.state === 'T'
        ? `process ${pid} is stopped, and its monitor with it, until "kill -CONT ${pid}"`
        : undefined,
  };
};

/** Prints signals and events until Ctrl-C, the time is over, or the process ends. */
export async function watchLive(source: LiveSource, options: LiveOptions): Promise<void> {
  const silence = tellSilence(source, (type, text) => {
    if (options.json) console.log(JSON.stringify({ process: source.name, type, atMs: Date.now() }));
    else note(text);
  });
  const stop = await source.onEvent((event) => {
    silence.heard();
    options.recording.see(event, source.name);
    if (event.type === 'sample' && !options.json) drawSample(event.sample);
    else tellEvent(event, { json: options.json, process: source.name });
  });
  let timer: NodeJS.Timeout | undefined;
  const isGone = await new Promise<boolean>((resolve) => {
    const end = (): void => resolve(false);
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    source.onClose(() => resolve(true));
    if (options.forMs !== undefined) timer = setTimeout(end, options.forMs);
  });
  // It would keep the command alive.
  clearTimeout(timer);
  silence.end();
  stop();
  if (process.stdout.isTTY && !options.json) process.stdout.write('\n');
  if (!isGone) return;
  if (options.json) console.log(JSON.stringify({ process: source.name, type: 'ended', atMs: Date.now() }));
  else note(source.endOf());
}

/** Says once why nothing is heard, and once that it goes on. */
export function tellSilence(
  source: Pick<LiveSource, 'name' | 'silenceOf'>,
  say: (type: 'silent' | 'resumed', text: string) => void,
  timing = { afterMs: silentAfterMs, everyMs: 1000 },
): { heard(): void; end(): void } {
  let heardMs = performance.now();
  let isTold = false;
  const timer = setInterval(() => {
    if (isTold || performance.now() - heardMs < timing.afterMs) return;
    const reason = source.silenceOf?.();
    if (reason === undefined) return;
    isTold = true;
    say('silent', reason);
  }, timing.everyMs);
  return {
    heard: () => {
      heardMs = performance.now();
      if (isTold) say('resumed', `${source.name} goes on`);
      isTold = false;
    },
    end: () => clearInterval(timer),
  };
}

const isRunning = ({ hello }: RemoteControl): boolean =>
  readProcess(hello.pid)?.startTicks === hello.startTicks;

/** One line that is written over on a terminal, and nothing where the output is kept in a file. */
function drawSample({ values }: SignalSample): void {
  if (!process.stdout.isTTY) return;
  const cells = shown.flatMap(([signal, title, unit]) => {
    const value = values[signal];
    return value === undefined ? [] : [`${title} ${formatValue(value, unit)}`];
  });
  process.stdout.write(`\r\x1b[K${cells.join('  ').slice(0, process.stdout.columns - 1)}`);
}

/** An event of a monitor as a note on stderr, or as a line of JSON. */
export function tellEvent(
  event: MonitorEvent,
  options: { readonly json: boolean; readonly process: string },
): void {
  if (options.json) {
    console.log(JSON.stringify({ process: options.process, ...event }));
    return;
  }
  // A note stands on a line of its own, not behind the live one.
  if (process.stdout.isTTY && event.type !== 'sample') process.stdout.write('\r\x1b[K');
  if (event.type === 'fired')
    note(`${options.process}: ${event.rule} fired (${event.reason}): ${event.outcome}`);
  if (event.type === 'problem') note(`${options.process}: ${event.message}`);
  if (event.type !== 'capture') return;
  note(`${captureLine(event.capture).slice(1).join(': ')}`);
  for (const { path, kind } of event.capture.files) if (kind === 'verdict') note(`  ${path}`);
}
