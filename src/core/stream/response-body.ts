import { Code } from '../base/codes.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import { Paused, type Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { type FilterResult, type StreamFilter, Verdict } from '../contract/stream-filter.ts';
import {
  callFilter,
  type Direction,
  filterChunk,
  isTooLarge,
  joinBody,
  takeReplacement,
} from './body-filters.ts';
import { setContentLength } from './content-length.ts';
import { keptBytes } from './kept-bytes.ts';
import { filterFailed, localReply, resetDownstream } from './local-reply.ts';
import { finish } from './log.ts';
import type { StreamProxy } from './proxy.ts';
import { releaseUpstream } from './upstream-end.ts';

const empty: Buffer = Buffer.alloc(0);

const responseDirection: Direction = {
  body: (s) => s.responseBody,
  isDone: (s) => s.responseDone,
  hasTrailers: (s) => s.responseTrailers !== null,
  call: (filter, s, chunk, end) =>
    (filter.onResponseBody as NonNullable<StreamFilter['onResponseBody']>)(s, chunk, 0, chunk.length, end),
  flush: (p, s) => flushResponse(p, s),
  overflow: Code.bufferOverflow,
  unsentHead: (s) => (s.responseStarted ? null : s.res),
};

const bodyFilters = (s: Stream): readonly StreamFilter[] => (s.pipeline as Pipeline).filters.responseBody;

/** Sends the head with the first body bytes in one write; ends the stream when that is all. */
export function sendResponse(
  p: StreamProxy,
  s: Stream,
  buf: Buffer | null,
  a: number,
  b: number,
  end: boolean,
): void {
  const half = s.responseBody;
  const gen = s.gen;
  if (buf !== null && b > a && (bodyFilters(s).length > 0 || half.chunks.length > 0)) {
    half.push(keptBytes(s.responseOwned, buf, a, b));
    buf = null;
  }
  if (end && half.chunks.length === 0 && bodyFilters(s).length > 0) half.push(empty);
  if (half.next < half.chunks.length) {
    if (isFiltered(p, s)) {
      buf = half.chunks[half.next++] as Buffer;
      a = 0;
      b = buf.length;
    } else if (s.gen !== gen || half.isBuffering) return;
  }
  s.responseStarted = true;
  s.requestBody.isKept = false;
  const last = isLast(s);
  const { status } = s.res;
  // gRPC says so in fields; logs and metrics go on with what the answer means.
  if (s.isLocalReply && s.isGrpc) s.res.status = 200;
  const ok = (s.down as StreamEnd).sendHead(s, s.res, buf, a, b, last);
  if (s.gen !== gen) return;
  s.res.status = status;
  if (last) finish(p, s);
  else {
    s.res.retain();
    if (!ok) pauseUpstream(s);
    if (half.chunks.length > 0 || s.responseDone) flushResponse(p, s);
  }
}

function isLast(s: Stream): boolean {
  return (
    s.responseDone && s.responseBody.next === s.responseBody.chunks.length && s.responseTrailers === null
  );
}

function isFiltered(p: StreamProxy, s: Stream): boolean {
  const half = s.responseBody;
  if (half.isBuffering || half.isStopped) return false;
  return half.next < half.filtered || filterChunk(p, s, responseDirection, bodyFilters(s));
}

/** Body bytes from upstream: straight through where nothing stands in the way. */
export function passResponseData(
  p: StreamProxy,
  s: Stream,
  buf: Buffer,
  a: number,
  b: number,
  end: boolean,
): void {
  s.responseBytes += b - a;
  s.lastActivityMs = p.context.clock.now();
  if (end && s.isTunnel && (s.tunnelEnds & 1) === 0) {
    // A half-close: the other direction goes on until it ends, too.
    s.tunnelEnds |= 2;
    s.responseDone = true;
    (s.down as StreamEnd).sendData(s, buf, a, b, true);
    return;
  }
  if (end) {
    s.responseDone = true;
    s.endMs = s.lastActivityMs;
    s.up = null;
    releaseUpstream(s);
  }
  const half = s.responseBody;
  const isStraight = s.responseStarted && half.chunks.length === 0 && s.responseTrailers === null;
  if (!isStraight || bodyFilters(s).length > 0) {
    holdData(p, s, buf, a, b, end);
    return;
  }
  const gen = s.gen;
  const ok = (s.down as StreamEnd).sendData(s, buf, a, b, end);
  if (s.gen !== gen) return;
  if (end) finish(p, s);
  else if (!ok) pauseUpstream(s);
}

function holdData(p: StreamProxy, s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
  const half = s.responseBody;
  if (b > a || (end && bodyFilters(s).length > 0)) half.push(keptBytes(s.responseOwned, buf, a, b));
  if (half.isBuffering && !end) {
    isTooLarge(p, s, responseDirection);
    return;
  }
  flushResponse(p, s);
  const limit = s.pipeline?.maxBufferedBytes ?? Number.POSITIVE_INFINITY;
  if (half.sizeBytes > limit) pauseUpstream(s);
}

/** Sends what is held, as far as filters and the downstream let it. */
export function flushResponse(p: StreamProxy, s: Stream): void {
  const half = s.responseBody;
  if (half.isBuffering) {
    if (!s.responseDone) return;
    if (!s.responseStarted && s.isResponseStopped) {
      collectedResponse(p, s);
      return;
    }
    joinBody(half);
  }
  if (s.isResponseStopped) return;
  if (!s.responseStarted) {
    // The head waits for a body filter that collected everything.
    if (s.phase === Phase.encodeDownstream) sendResponse(p, s, null, 0, 0, s.responseDone);
    return;
  }
  const gen = s.gen;
  while (half.next < half.chunks.length) {
    if ((s.paused & Paused.downFull) !== 0 || !isFiltered(p, s)) return;
    const chunk = half.chunks[half.next++] as Buffer;
    const last = isLast(s);
    const ok = (s.down as StreamEnd).sendData(s, chunk, 0, chunk.length, last);
    if (s.gen !== gen) return;
    if (last) {
      finish(p, s);
      return;
    }
    if (!ok) pauseUpstream(s);
  }
  half.dropSent();
  if (s.responseDone) endResponse(p, s);
  else if ((s.paused & (Paused.downFull | Paused.upRead)) === Paused.upRead) {
    s.paused &= ~Paused.upRead;
    s.up?.resumeRead(s);
  }
}

/** A response head hook asked for the whole body: the same filter sees it now, then the head goes on. */
function collectedResponse(p: StreamProxy, s: Stream): void {
  const half = s.responseBody;
  if (half.chunks.length === 0) half.push(empty);
  joinBody(half);
  const filter = half.early?.at(-1) as StreamFilter;
  if (filter.onResponseBody !== undefined) {
    const result = callFilter(p, s, responseDirection, filter);
    if (result === undefined) return;
    if (typeof result === 'number') afterCollecting(p, s, result);
    else awaitCollected(p, s, filter, result);
    return;
  }
  s.isResponseStopped = false;
  p.filterResponse(s, null, 0, 0, true);
}

function awaitCollected(p: StreamProxy, s: Stream, filter: StreamFilter, result: Promise<Verdict>): void {
  const { gen } = s;
  result.then(
    (verdict) => {
      if (s.gen !== gen) return;
      takeReplacement(s, responseDirection);
      afterCollecting(p, s, verdict);
    },
    (thrown) => {
      if (s.gen === gen) filterFailed(p, s, filter, thrown);
    },
  );
}

function afterCollecting(p: StreamProxy, s: Stream, result: FilterResult): void {
  if (result === Verdict.close) {
    resetDownstream(p, s, Code.filterClosed);
    return;
  }
  if (result === Verdict.reply) {
    localReply(p, s);
    return;
  }
  setContentLength(s.res, (s.responseBody.chunks[0] as Buffer).length);
  s.res.chunked = false;
  s.isResponseStopped = false;
  p.filterResponse(s, null, 0, 0, true);
}

function endResponse(p: StreamProxy, s: Stream): void {
  const gen = s.gen;
  const down = s.down as StreamEnd;
  if (s.responseTrailers === null) {
    down.sendData(s, empty, 0, 0, true);
  } else {
    s.replacement = null;
    for (const filter of (s.pipeline as Pipeline).filters.responseTrailers) {
      const verdict = filter.onResponseTrailers?.(s);
      if (verdict === Verdict.close) resetDownstream(p, s, Code.filterClosed);
      if (s.gen !== gen) return;
    }
    // A filter may have made bytes of them.
    const last = s.replacement as Buffer | null;
    if (last === null) down.sendTrailers(s, s.responseTrailers);
    else down.sendData(s, last, 0, last.length, true);
  }
  if (s.gen === gen) finish(p, s);
}

function pauseUpstream(s: Stream): void {
  s.paused |= Paused.downFull;
  s.endMs = 0;
  if ((s.paused & Paused.upRead) !== 0 || s.up === null) return;
  s.paused |= Paused.upRead;
  s.up.pauseRead(s);
}
