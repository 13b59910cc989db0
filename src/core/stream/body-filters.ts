import { Code } from '../base/codes.ts';
import type { HeadView } from '../base/head-view.ts';
import type { BodyBuffer } from '../contract/body-buffer.ts';
import type { Stream } from '../contract/stream.ts';
import { type FilterResult, type StreamFilter, Verdict } from '../contract/stream-filter.ts';
import { setContentLength } from './content-length.ts';
import { failStream, filterFailed, localReply, resetDownstream } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';

/** The parts of a direction that its body filters need; two constants, so nothing is made per stream. */
export interface Direction {
  body(s: Stream): BodyBuffer;
  isDone(s: Stream): boolean;
  hasTrailers(s: Stream): boolean;
  call(filter: StreamFilter, s: Stream, chunk: Buffer, end: boolean): FilterResult;
  flush(p: StreamProxy, s: Stream): void;
  /** The code of a body that grew too large to collect. */
  readonly overflow: number;
  /** The head whose length a replaced body changes, null once it was sent. */
  unsentHead(s: Stream): HeadView | null;
}

/**
 * Runs the body hooks on the chunk at `next`. True: it may be sent.
 * False: it waits, is being collected, or the stream is over (`s.gen` tells).
 */
export function filterChunk(
  p: StreamProxy,
  s: Stream,
  direction: Direction,
  filters: readonly StreamFilter[],
): boolean {
  const half = direction.body(s);
  while (half.filterIndex < filters.length) {
    const filter = filters[half.filterIndex++] as StreamFilter;
    if (half.early?.includes(filter)) continue;
    const result = callFilter(p, s, direction, filter);
    if (result === undefined) return false;
    if (result !== Verdict.continue && !bodyVerdict(p, s, direction, filter, result)) return false;
  }
  half.filterIndex = 0;
  half.filtered = half.next + 1;
  return true;
}

/** Undefined: the filter threw and the stream is over. */
export function callFilter(
  p: StreamProxy,
  s: Stream,
  direction: Direction,
  filter: StreamFilter,
): FilterResult | undefined {
  const half = direction.body(s);
  const chunk = half.chunks[half.next] as Buffer;
  const end = direction.isDone(s) && half.next === half.chunks.length - 1 && !direction.hasTrailers(s);
  s.replacement = null;
  let result: FilterResult;
  try {
    result = direction.call(filter, s, chunk, end);
  } catch (thrown) {
    filterFailed(p, s, filter, thrown);
    return undefined;
  }
  const replacement = s.replacement as Buffer | null;
  if (replacement !== null) replaceChunk(s, direction, replacement);
  return result;
}

/** A filter that was waited for may have left bytes to send instead of the chunk that it saw. */
export function takeReplacement(s: Stream, direction: Direction): void {
  const replacement = s.replacement;
  if (replacement !== null) replaceChunk(s, direction, replacement);
}

function replaceChunk(s: Stream, direction: Direction, replacement: Buffer): void {
  const half = direction.body(s);
  const head = direction.unsentHead(s);
  const before = half.chunks[half.next] as Buffer;
  half.sizeBytes += replacement.length - before.length;
  half.chunks[half.next] = replacement;
  s.replacement = null;
  if (head === null || head.contentLength < 0) return;
  setContentLength(head, head.contentLength + replacement.length - before.length);
}

function bodyVerdict(
  p: StreamProxy,
  s: Stream,
  direction: Direction,
  filter: StreamFilter,
  result: FilterResult,
): boolean {
  const half = direction.body(s);
  switch (result) {
    case Verdict.continue:
    case Verdict.matchRouteAgain:
    case Verdict.chooseHostAgain:
      return true;
    case Verdict.stop:
      half.isStopped = true;
      s.endMs = 0;
      return false;
    case Verdict.stopAndBuffer:
      return collect(p, s, direction);
    case Verdict.reply:
      localReply(p, s);
      return false;
    case Verdict.close:
      resetDownstream(p, s, Code.filterClosed);
      return false;
    default:
      waitFor(p, s, direction, filter, result as Promise<Verdict>);
      return false;
  }
}

/** The filter wants the whole body: it is called again for it. True when all of it is here already. */
function collect(p: StreamProxy, s: Stream, direction: Direction): boolean {
  const half = direction.body(s);
  half.filterIndex--;
  half.isBuffering = true;
  if (direction.isDone(s)) joinBody(half);
  else if (isTooLarge(p, s, direction)) return false;
  return !half.isBuffering;
}

/** Fails the stream when what is collected exceeds the limit. */
export function isTooLarge(p: StreamProxy, s: Stream, direction: Direction): boolean {
  const limit = s.pipeline?.maxBufferedBytes ?? 0;
  if (direction.body(s).sizeBytes <= limit) return false;
  failStream(p, s, direction.overflow);
  return true;
}

/** Ends collecting: one chunk holds everything that was not sent. */
export function joinBody(half: BodyBuffer): void {
  half.isBuffering = false;
  const whole = half.concat();
  half.chunks = [whole];
  half.sizeBytes = whole.length;
  half.next = half.filtered = 0;
}

function waitFor(
  p: StreamProxy,
  s: Stream,
  direction: Direction,
  filter: StreamFilter,
  promise: Promise<Verdict>,
): void {
  const half = direction.body(s);
  half.isStopped = true;
  s.endMs = 0;
  const gen = s.gen;
  promise.then(
    (verdict) => {
      if (s.gen !== gen) return;
      half.isStopped = false;
      takeReplacement(s, direction);
      if (bodyVerdict(p, s, direction, filter, verdict)) direction.flush(p, s);
    },
    (thrown) => {
      if (s.gen === gen) filterFailed(p, s, filter, thrown);
    },
  );
}
