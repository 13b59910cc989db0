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
import { keepsBody, retryBufferBytes } from './retry.ts';

const empty: Buffer = Buffer.alloc(0);

const requestDirection: Direction = {
  body: (s) => s.requestBody,
  isDone: (s) => s.requestDone,
  hasTrailers: (s) => s.requestTrailers !== null,
  call: (filter, s, chunk, end) =>
    (filter.onRequestBody as NonNullable<StreamFilter['onRequestBody']>)(s, chunk, 0, chunk.length, end),
  flush: (p, s) => flushRequest(p, s),
  overflow: Code.payloadTooLarge,
  unsentHead: (s) => (s.up === null ? s.req : null),
};

const noFilters: readonly StreamFilter[] = [];

const bodyFilters = (s: Stream): readonly StreamFilter[] =>
  s.isBodyPassed ? noFilters : (s.pipeline as Pipeline).filters.requestBody;

/** Have all body filters nothing to do with a body that is here as a whole? Then it leaves as it came. */
function passesBody(s: Stream): boolean {
  if (!s.requestDone) return false;
  const filters = (s.pipeline as Pipeline).filters.requestBody;
  for (let i = 0; i < filters.length; i++) {
    const filter = filters[i] as StreamFilter;
    if (filter.passesBody === undefined || !filter.passesBody(s)) return false;
  }
  return filters.length > 0;
}

/** Keeps the bytes that came with the head, because the head could not leave in the same call. */
export function holdFirst(s: Stream): void {
  const first = s.firstBuf as Buffer;
  s.firstBuf = null;
  s.requestBody.push(keptBytes(s.requestOwned, first, s.firstStart, s.firstEnd));
  pauseWhenFull(s);
}

/** Sends head and first body bytes to a fresh upstream end: in one write where they are here together. */
export function sendRequest(p: StreamProxy, s: Stream, up: StreamEnd): void {
  s.up = up;
  s.phase = Phase.awaitUpstream;
  const half = s.requestBody;
  half.isKept = !half.isLost && !s.isTunnel && keepsBody(s);
  if (s.firstBuf !== null && half.chunks.length === 0) s.isBodyPassed = passesBody(s);
  if (s.firstBuf !== null && (half.isKept || bodyFilters(s).length > 0)) holdFirst(s);
  const gen = s.gen;
  const tries = s.tries;
  let buf = s.firstBuf;
  let a = s.firstStart;
  let b = s.firstEnd;
  s.firstBuf = null;
  if (buf !== null) half.isLost = true;
  else if (half.next < half.chunks.length && isFiltered(p, s)) {
    buf = half.chunks[half.next++] as Buffer;
    a = 0;
    b = buf.length;
  } else if (s.gen !== gen || s.up !== up) return;
  const last = isLast(s);
  if (last) s.requestSent = true;
  if (s.policy !== null) s.policy.mirror?.feed(buf, a, b, s.requestOwned, last);
  const ok = up.sendHead(s, s.req, buf, a, b, last);
  if (s.gen !== gen || s.tries !== tries || s.up === null) return;
  if (!ok) s.paused |= Paused.upFull;
  if (!last) flushRequest(p, s);
}

function isLast(s: Stream): boolean {
  return s.requestDone && s.requestBody.next === s.requestBody.chunks.length && s.requestTrailers === null;
}

/** Has the next chunk passed the body filters, in an earlier try or now? */
function isFiltered(p: StreamProxy, s: Stream): boolean {
  const half = s.requestBody;
  if (half.isBuffering || half.isStopped) return false;
  return half.next < half.filtered || filterChunk(p, s, requestDirection, bodyFilters(s));
}

/** Body bytes from downstream: straight through where nothing stands in the way. */
export function passRequestData(
  p: StreamProxy,
  s: Stream,
  buf: Buffer,
  a: number,
  b: number,
  end: boolean,
): void {
  s.requestBytes += b - a;
  s.lastActivityMs = p.context.clock.now();
  if (end && s.isTunnel) {
    endTunnelRequest(p, s, buf, a, b);
    return;
  }
  if (end) {
    s.requestDone = true;
    s.requestDoneMs = s.lastActivityMs;
    if (s.tries > 0 && !s.responseStarted) p.armAttempt(s);
  }
  const half = s.requestBody;
  const isStraight =
    s.up !== null && half.next === half.chunks.length && !half.isStopped && !half.isBuffering;
  if (isStraight && s.requestTrailers === null && bodyFilters(s).length === 0)
    sendStraight(p, s, buf, a, b, end);
  else holdData(p, s, buf, a, b, end);
}

/** The client half-closed a tunnel; the stream is over when the upstream has, too. */
function endTunnelRequest(p: StreamProxy, s: Stream, buf: Buffer, a: number, b: number): void {
  const up = s.up;
  s.tunnelEnds |= 1;
  s.requestDone = s.requestSent = true;
  const isOver = (s.tunnelEnds & 2) !== 0;
  // The codec closes what both sides have ended; a reset would drop what is still on its way.
  if (isOver) s.up = null;
  up?.sendData(s, buf, a, b, true);
  if (isOver) finish(p, s);
}

function sendStraight(p: StreamProxy, s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
  keepSent(p, s, buf, a, b);
  const gen = s.gen;
  if (end) s.requestSent = true;
  if (s.policy !== null) s.policy.mirror?.feed(buf, a, b, s.requestOwned, end);
  const ok = (s.up as StreamEnd).sendData(s, buf, a, b, end);
  if (ok || end || s.gen !== gen || s.up === null) return;
  s.paused |= Paused.upFull;
  pauseDownstream(s);
}

function keepSent(p: StreamProxy, s: Stream, buf: Buffer, a: number, b: number): void {
  if (b === a) return;
  const half = s.requestBody;
  if (!half.isKept) {
    half.isLost = true;
    return;
  }
  half.push(keptBytes(s.requestOwned, buf, a, b));
  half.next++;
  half.filtered = half.next;
  giveUpKeeping(p, s);
}

/** A body beyond the limit is not kept: from here on there is no other try, and that is counted. */
function giveUpKeeping(p: StreamProxy, s: Stream): void {
  const half = s.requestBody;
  if (!half.isKept || half.sizeBytes <= retryBufferBytes(s)) return;
  half.isKept = false;
  half.isLost = half.next > 0;
  half.dropSent();
  // Without a policy nobody asked for another try.
  if (s.cluster === null || (s.isGrpc && s.route?.retry === null)) return;
  (p.context.metrics.values[s.cluster.slots.retryBodyTooLarge] as number)++;
}

function holdData(p: StreamProxy, s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
  const half = s.requestBody;
  if (b > a || (end && bodyFilters(s).length > 0)) half.push(keptBytes(s.requestOwned, buf, a, b));
  if (half.isBuffering) {
    if (!end) isTooLarge(p, s, requestDirection);
    else if (!s.isStopped) flushRequest(p, s);
    else if (collected(p, s)) p.advance(s);
    return;
  }
  if (s.up !== null) flushRequest(p, s);
  else pauseWhenFull(s);
}

/**
 * A head hook asked for the whole body and all of it is here: the same filter sees it now, before the chain goes on.
 * True: go on with the phases.
 */
export function collected(p: StreamProxy, s: Stream): boolean {
  const half = s.requestBody;
  if (half.chunks.length === 0) half.push(empty);
  joinBody(half);
  s.isStopped = false;
  const filter = half.early?.at(-1) as StreamFilter;
  if (filter.onRequestBody === undefined) return true;
  const before = (half.chunks[0] as Buffer).length;
  const result = callFilter(p, s, requestDirection, filter);
  if (result === undefined) return false;
  setCollectedLength(s, before);
  return afterCollecting(p, s, filter, result);
}

/** The whole body is here: its length is known, and may have changed. */
function setCollectedLength(s: Stream, before: number): void {
  const after = (s.requestBody.chunks[0] as Buffer).length;
  if (after !== before || s.req.chunked) setContentLength(s.req, after);
}

function afterCollecting(p: StreamProxy, s: Stream, filter: StreamFilter, result: FilterResult): boolean {
  if (result === Verdict.reply) localReply(p, s);
  else if (result === Verdict.close) resetDownstream(p, s, Code.filterClosed);
  else if (result === Verdict.stop) s.isStopped = true;
  else if (typeof result !== 'number') {
    s.isStopped = true;
    const gen = s.gen;
    result.then(
      (verdict) => {
        if (s.gen !== gen) return;
        s.isStopped = false;
        const before = (s.requestBody.chunks[0] as Buffer).length;
        takeReplacement(s, requestDirection);
        setCollectedLength(s, before);
        if (afterCollecting(p, s, filter, verdict)) p.advance(s);
      },
      (thrown) => {
        if (s.gen === gen) filterFailed(p, s, filter, thrown);
      },
    );
  } else return true;
  return false;
}

/** Sends what is held, as far as filters and the upstream let it. */
export function flushRequest(p: StreamProxy, s: Stream): void {
  const half = s.requestBody;
  if (half.isBuffering) {
    if (!s.requestDone) return;
    joinBody(half);
  }
  const gen = s.gen;
  const tries = s.tries;
  while (half.next < half.chunks.length) {
    if (s.up === null || (s.paused & Paused.upFull) !== 0) return;
    if (!isFiltered(p, s)) return;
    const chunk = half.chunks[half.next++] as Buffer;
    const last = isLast(s);
    if (!half.isKept) half.isLost = true;
    if (last) s.requestSent = true;
    if (s.policy !== null) s.policy.mirror?.feed(chunk, 0, chunk.length, true, last);
    const ok = s.up.sendData(s, chunk, 0, chunk.length, last);
    if (s.gen !== gen || s.tries !== tries) return;
    if (!ok) s.paused |= Paused.upFull;
  }
  if (s.up === null) return;
  if (half.isKept) giveUpKeeping(p, s);
  else half.dropSent();
  if (s.requestDone && !s.requestSent) endRequest(p, s);
  else if ((s.paused & (Paused.upFull | Paused.downRead)) === Paused.downRead) {
    s.paused &= ~Paused.downRead;
    s.down?.resumeRead(s);
  }
}

function endRequest(p: StreamProxy, s: Stream): void {
  s.requestSent = true;
  const up = s.up as StreamEnd;
  if (s.policy !== null) s.policy.mirror?.feed(null, 0, 0, true, true);
  if (s.requestTrailers === null) {
    up.sendData(s, empty, 0, 0, true);
    return;
  }
  for (const filter of (s.pipeline as Pipeline).filters.requestTrailers) {
    const gen = s.gen;
    const verdict = filter.onRequestTrailers?.(s);
    if (verdict === Verdict.close) resetDownstream(p, s, Code.filterClosed);
    if (s.gen !== gen) return;
  }
  up.sendTrailers(s, s.requestTrailers);
}

function pauseWhenFull(s: Stream): void {
  if (s.requestBody.sizeBytes > (s.pipeline as Pipeline).maxBufferedBytes && !s.requestBody.isBuffering) {
    pauseDownstream(s);
  }
}

function pauseDownstream(s: Stream): void {
  if ((s.paused & Paused.downRead) !== 0) return;
  s.paused |= Paused.downRead;
  s.down?.pauseRead(s);
}
