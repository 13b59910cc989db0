import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';

/** One stream on a connection (RFC 9113 §5.1), from its HEADERS until both directions are over or it is reset. */
export class Http2Stream {
  /** Another one when its head has to wait for the peer's SETTINGS. */
  id: number;
  /** Null once the core is done with it: what is queued still leaves. */
  s: Stream | null;
  /** Body bytes that the peer takes; below 0 when its SETTINGS took back what was used already. */
  sendWindow: number;
  /** Body bytes that the peer may still send. */
  recvWindow: number;
  /** Received, and not given back by WINDOW_UPDATE. */
  owed = 0;
  isPaused = false;
  /** Waits for `sink.writable`. */
  wantsWritable = false;
  /** Body bytes that wait for window or wire, owned; null when there are none. */
  queue: Buffer[] | null = null;
  queuedBytes = 0;
  queueEnds = false;
  trailers: HeadView | null = null;
  headSent = false;
  /** END_STREAM was sent / received. */
  localEnded = false;
  remoteEnded = false;
  headSeen = false;
  isTunnel = false;
  /** HEAD: the answer has no body, whatever its length says. */
  isHead = false;
  /** What Content-Length still promises: of the body received, of the body to send; -1 without one. */
  recvLeft = -1;
  sendLeft = -1;
  bodyBytes = 0;
  /** Interim answers seen. */
  informational = 0;
  /** The answer decides whether it becomes a tunnel; body bytes wait in `early`, a window's worth at most. */
  awaitsTunnel = false;
  /** An extended CONNECT whose upstream has not said yet whether it knows that. */
  awaitsSettings = false;
  early: Buffer[] | null = null;
  earlyEnds = false;
  /** Looks of the connection's timer without a byte taken by the peer. */
  stalledLooks = 0;

  constructor(id: number, s: Stream, sendWindow: number, recvWindow: number) {
    this.id = id;
    this.s = s;
    this.sendWindow = sendWindow;
    this.recvWindow = recvWindow;
  }
}

/** Keeps a copy of bytes that came before the tunnel was open. */
export function keepEarly(each: Http2Stream, buf: Buffer, a: number, b: number): void {
  each.early ??= [];
  each.early.push(Buffer.from(buf.subarray(a, b)));
}
