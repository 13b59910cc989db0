import { Buffer } from 'node:buffer';
import type { Clock, Timer } from '../../../src/core/base/clock.ts';
import type { HeadView } from '../../../src/core/base/head-view.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import type { ConfigSchema } from '../../../src/core/contract/extension.ts';
import type { LogOutput, LogOutputs } from '../../../src/core/contract/log-output.ts';
import type { Route } from '../../../src/core/contract/route.ts';
import { Stream, type StreamCore } from '../../../src/core/contract/stream.ts';
import {
  type FilterContext,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../../../src/core/contract/stream-filter.ts';
import type { Peer } from '../../../src/core/contract/wire.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { makeRoute } from '../../../src/core/route/make-route.ts';

/** Time that passes only when told. */
export class ManualClock implements Clock {
  ms = 1000;
  wallMs = Date.UTC(2026, 0, 31, 12, 30, 45, 123);
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.ms;
  }

  wallNow(): number {
    return this.wallMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { at: this.ms + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  get pending(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const target = this.ms + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((each) => each.at <= target).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#move(next.at);
      next.run();
    }
    this.#move(target);
  }

  #move(to: number): void {
    this.wallMs += to - this.ms;
    this.ms = to;
  }
}

/** Collects what is logged. */
export class MemoryOutput implements LogOutput {
  text = '';
  batches = 0;
  isFull = false;
  readonly gathering = new Set<{ flush(): void }>();

  write(bytes: Buffer): boolean {
    if (this.isFull) return false;
    this.batches++;
    this.text += bytes.toString('latin1');
    return true;
  }

  /** What was logged so far, line by line. */
  lines(): string[] {
    for (const batch of [...this.gathering]) batch.flush();
    return this.text.split('\n').slice(0, -1);
  }
}

export class MemoryOutputs implements LogOutputs {
  readonly byPath = new Map<string, MemoryOutput>();

  open(path: string): MemoryOutput {
    const known = this.byPath.get(path) ?? new MemoryOutput();
    this.byPath.set(path, known);
    return known;
  }
}

/** Records what filters ask of the core; the half of StreamCore that filters use. */
export class FakeCore {
  readonly resumed: { s: Stream; gen: number }[] = [];
  readonly replies: { status: number; body: string }[] = [];

  resume(s: Stream, gen: number): void {
    if (gen === s.gen) this.resumed.push({ s, gen });
  }

  reply(_s: Stream, status: number, body: string): void {
    this.replies.push({ status, body });
  }

  onStreamDeadline(): void {}
}

/** Scans an HTTP/1 head (without the empty line) into `view`, as a codec would leave it. */
export function scanHead(view: HeadView, text: string): void {
  const bytes = Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
  view.reset();
  view.buf = bytes;
  view.end = bytes.length;
  view.firstEnd = bytes.indexOf('\r\n') + 2;
  scanFirstLine(view, bytes.toString('latin1', 0, view.firstEnd - 2));
  for (let at = view.firstEnd; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    scanField(view, bytes, at, end);
    at = end + 2;
  }
}

function scanFirstLine(view: HeadView, line: string): void {
  const [first = '', second = ''] = line.split(' ');
  if (first.startsWith('HTTP/')) {
    view.status = Number(second);
    return;
  }
  view.methodEnd = first.length;
  view.pathStart = first.length + 1;
  view.pathEnd = view.pathStart + second.length;
}

function scanField(view: HeadView, bytes: Buffer, start: number, end: number): void {
  const colon = bytes.indexOf(':', start);
  const valueStart = bytes[colon + 1] === 32 ? colon + 2 : colon + 1;
  view.fields.length = view.count * 4;
  view.fields.push(start, colon, valueStart, end);
  view.count++;
  const name = bytes.toString('latin1', start, colon).toLowerCase();
  if (name === 'host') {
    view.authorityStart = valueStart;
    view.authorityEnd = end;
  }
  if (name === 'content-length') view.contentLength = Number(bytes.toString('latin1', valueStart, end));
  if (name === 'transfer-encoding') view.chunked = true;
}

export const peer = (address: string, port = 40_000): Peer => ({
  address,
  port,
  spiffeId: null,
  certificateSha256: null,
  serverName: null,
});

export const route = (fields: Partial<Route> = {}): Route =>
  makeRoute({
    name: 'users',
    virtualHost: 'all',
    action: { kind: 'direct', status: 200, body: '' },
    timeoutMs: 0,
    ...fields,
  });

const simpleRequest = 'GET /users/7?full=1 HTTP/1.1\r\nhost: users.example\r\naccept: */*\r\n';

/** A stream with that request, as it stands before the filters. */
export function streamOf(text: string = simpleRequest, core: FakeCore = new FakeCore()): Stream {
  const s = new Stream(core as unknown as StreamCore);
  s.protocol = 'http1';
  scanHead(s.req, text);
  s.peer = peer('192.0.2.7');
  s.serial = 1;
  s.startMs = 1000;
  s.startWallMs = Date.UTC(2026, 0, 31, 12, 30, 45, 123);
  return s;
}

/** Validates as the configuration loader does. @throws Error with the issues */
export function parseConfig<Config>(schema: ConfigSchema<Config>, input: unknown): Config {
  const result = schema['~standard'].validate(input);
  if (result instanceof Promise) throw new Error('the schema is asynchronous');
  if (result.issues !== undefined) throw new Error(result.issues.map((each) => each.message).join('; '));
  return result.value;
}

export interface Rig extends FilterContext {
  readonly clock: ManualClock;
  readonly metrics: MetricsTable;
  readonly core: FakeCore;
  readonly logs: MemoryOutputs;
}

export function createRig(slot = 0): Rig {
  return {
    clock: new ManualClock(),
    random: new SeededRandom(7),
    logger: silentLogger,
    metrics: new MetricsTable(),
    core: new FakeCore(),
    logs: new MemoryOutputs(),
    slot,
    owner: 'ingress',
  };
}

/** Builds a filter from what a user would write. */
export function createFilter<Config>(
  definition: StreamFilterDefinition<Config>,
  input: unknown,
  rig: Rig,
): StreamFilter {
  return definition.create(parseConfig(definition.config, input), rig);
}

/** Value of a counter of this rig, summed over its label sets; NaN when there is none. */
export function counted(rig: Rig, name: string): number {
  const found = rig.metrics.snapshot().series.filter((each) => each.name === name);
  return found.length === 0 ? Number.NaN : found.reduce((sum, each) => sum + (each.values[0] as number), 0);
}

/** Runs the request head hook, which a synchronous filter answers with a number. */
export function onRequest(filter: StreamFilter, s: Stream): Verdict {
  return (filter.onRequestHead?.(s) ?? Verdict.continue) as Verdict;
}

export function onResponse(
  filter: StreamFilter,
  s: Stream,
  text = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n',
): Verdict {
  scanHead(s.res, text);
  return (filter.onResponseHead?.(s) ?? Verdict.continue) as Verdict;
}
