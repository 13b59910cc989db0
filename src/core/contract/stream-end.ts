import type { HeadView } from '../base/head-view.ts';
import type { FlowSink } from './flow.ts';
import type { Stream } from './stream.ts';

/**
 * The data path in one picture. Every codec connection and the in-process caller is the same shape, StreamEnd;
 * the core is one StreamSink, called by method, never an emitter.
 *
 *    wire -> ServerCodec --requestHead/Data/Trailers--> StreamSink (the proxy) --sendHead/Data/Trailers--> ClientCodec -> wire
 *    wire <- ServerCodec <--sendHead/Data/Trailers----- StreamSink             <--responseHead/Data/Trailers- ClientCodec <- wire
 *
 * Rules (measured in the order of what they save):
 * 1. Head and first body bytes travel in one call and leave in one write.
 * 2. Bytes passed in a call are borrowed until it returns, unless `stream.requestOwned` (`responseOwned`), which the
 *    reading codec sets before each call; whoever keeps them copies.
 * 3. A client codec gives its connection back (`owner.room`) BEFORE it delivers the last event of a stream.
 * 4. After an event with `end`, after `reset`, neither codec nor filter touches the stream: it may be in the pool already.
 *    Promises and timers compare `stream.gen`.
 * 5. No emitter, closure or object per stream on this path.
 */
export interface StreamSink {
  /** For calls of RPC that come with the same head again; absent: each is read. */
  readonly repeater?: FlowSink;
  /** A clean stream; the codec scans straight into `stream.req`. */
  acquire(): Stream;
  /** Gives back a stream that never reached `requestHead` (malformed head). */
  release(s: Stream): void;
  /**
   * `s.req` is the head; `buf[a, b)` the first body bytes (null: none); `end`: the request is complete.
   * CONNECT and Upgrade requests (`s.req.upgrade`) are complete with their head. If the answer opens a tunnel,
   * `requestData` follows nevertheless, and each direction ends by itself.
   */
  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void;
  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void;
  /** Ends the request. */
  requestTrailers(s: Stream, trailers: HeadView): void;
  /** A 1xx other than 101; `s.res` is the head and is reset afterwards by the caller. */
  responseInformational(s: Stream): void;
  /** `s.res` is the head. */
  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void;
  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void;
  responseTrailers(s: Stream, trailers: HeadView): void;
  /** The upstream end is gone for this stream; `code` is a Code. The core retries or fails. */
  upstreamReset(s: Stream, code: number): void;
  /** The client went away or broke the protocol after the head; the core cancels the upstream. */
  downstreamReset(s: Stream, code: number): void;
  /** `end` can take more for this stream: the core resumes the other side. */
  writable(s: Stream, end: StreamEnd): void;
  /** An upstream that answered `waiting` from `open` now has a place; `end` is ready for `sendHead`. */
  upstreamReady(s: Stream, end: StreamEnd): void;
}

/** One end of a stream. Implemented exactly once per protocol and direction; no wrappers (call sites stay monomorphic). */
export interface StreamEnd {
  /** A 1xx head towards the client. Client codecs and protocols without 1xx ignore it. */
  sendInformational(s: Stream, head: HeadView): void;
  /** @returns false above high water: `sink.writable(s, this)` follows. */
  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean;
  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean;
  sendTrailers(s: Stream, trailers: HeadView): void;
  /** Ends this stream early: HTTP/1 closes, HTTP/2 RST_STREAM, Bolt drops the slot. The end never calls back for `s` after it. */
  reset(s: Stream, code: number): void;
  /** Stops reading this stream's body (HTTP/1: the wire; HTTP/2: no WINDOW_UPDATE for it). */
  pauseRead(s: Stream): void;
  resumeRead(s: Stream): void;
}

/**
 * Where a stream can go: a pooled connection, an application handler, a local reply, a recording, a worker.
 * `open` is synchronous: an end (bound to `s`, a connecting one is fine), or a Code that says why not, or `waiting`.
 */
export interface Upstream {
  open(s: Stream): StreamEnd | number;
  /** The stream that got `waiting` is gone: forget it. */
  cancelWait(s: Stream): void;
}

/** Returned by `Upstream.open`: queued, `sink.upstreamReady` or `sink.upstreamReset` follows. */
export const waiting = -1;
