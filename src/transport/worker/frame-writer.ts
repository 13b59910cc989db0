import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { type BatchWriter, isPiece, pieceOf } from './batch-writer.ts';
import { FrameFlag, FrameType, frameHeadBytes, padded } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import { headRoom, writeHead } from './heads.ts';

/** Body bytes of a frame; `isExclusive`: nobody else looks at them, they may be given away. */
export interface BodyBytes {
  readonly buf: Buffer;
  readonly a: number;
  readonly b: number;
  readonly isExclusive: boolean;
}

/** What opens or answers a stream. */
export interface HeadFrame {
  /** `request` or `response`. */
  readonly type: number;
  readonly id: number;
  readonly flags: number;
  /** Number of the handler that the stream is for; 0 for calls and answers. */
  readonly key: number;
  /** Of the whole call, 0 = the route's. */
  readonly timeoutMs: number;
}

/** What an RPC request carries beside its frame. */
export interface RpcFacts {
  /** What routes see. */
  readonly authority: string;
  /** Address of the caller, "" for calls of this process. */
  readonly peer: string;
}

/** Type, flags and the number of the handler in one word. */
const typeWord = (type: number, flags: number, key = 0): number => type | (flags << 8) | (key << 16);

/** A head and the body bytes that are there. */
export function writeHeadFrame(
  writer: BatchWriter,
  frame: HeadFrame,
  head: HeadView,
  body: BodyBytes | null,
): void {
  const bodyBytes = body === null ? 0 : body.b - body.a;
  const at = writer.begin(headRoom(head) + (isPiece(bodyBytes) ? 0 : bodyBytes));
  const headBytes = writeHead(writer, at, head, frame.timeoutMs);
  finish(writer, at, typeWord(frame.type, frame.flags, frame.key), frame.id, headBytes, body);
}

/** A message of an RPC protocol as a whole frame. */
export function writeRpcFrame(writer: BatchWriter, frame: HeadFrame, facts: RpcFacts, message: Buffer): void {
  const { authority, peer } = facts;
  const inline = isPiece(message.length) ? 0 : message.length;
  const at = writer.begin(12 + (authority.length + peer.length) * 3 + inline);
  const { words, buf } = writer;
  const first = (at + frameHeadBytes) >> 2;
  const texts = (first + 3) << 2;
  words[first] = Math.min(frame.timeoutMs, 0x7fffffff);
  words[first + 1] = buf.write(authority, texts);
  words[first + 2] = buf.write(peer, texts + (words[first + 1] as number));
  const headBytes = padded(12 + (words[first + 1] as number) + (words[first + 2] as number));
  const body = { buf: message, a: 0, b: message.length, isExclusive: false };
  finish(writer, at, typeWord(frame.type, frame.flags, frame.key), frame.id, headBytes, body);
}

/** What `writeRpcFrame` wrote beside the message. */
export function readRpcFacts(frame: FrameView): RpcFacts & { readonly timeoutMs: number } {
  const authorityBytes = frame.word(1);
  return {
    timeoutMs: frame.word(0),
    authority: frame.text(12, authorityBytes),
    peer: frame.text(12 + authorityBytes, frame.word(2)),
  };
}

export function writeData(writer: BatchWriter, id: number, body: BodyBytes, end: boolean): void {
  const bodyBytes = body.b - body.a;
  const at = writer.begin(isPiece(bodyBytes) ? 0 : bodyBytes);
  finish(writer, at, typeWord(FrameType.data, end ? FrameFlag.end : 0), id, 0, body);
}

export function writeTrailers(writer: BatchWriter, id: number, trailers: HeadView): void {
  const at = writer.begin(headRoom(trailers));
  const headBytes = writeHead(writer, at, trailers, 0);
  writer.commit(at, typeWord(FrameType.trailers, FrameFlag.end), id, headBytes, 0);
}

/** @param type `reset` with a code, or `credit` with bytes */
export function writeNumber(writer: BatchWriter, type: number, id: number, value: number): void {
  const at = writer.begin(4);
  writer.words[(at + frameHeadBytes) >> 2] = value;
  writer.commit(at, typeWord(type, 0), id, 4, 0);
}

/** How a stream ended: what its caller's error, or its span, says. */
export function writeOutcome(writer: BatchWriter, type: number, id: number, s: Stream, code: number): void {
  const texts = [s.route?.name ?? '', s.cluster?.name ?? '', s.host?.address ?? ''];
  const at = writer.begin(28 + texts.reduce((bytes, text) => bytes + text.length * 3, 0));
  const first = (at + frameHeadBytes) >> 2;
  const { words, buf } = writer;
  words[first] = code;
  words[first + 1] = s.tries;
  words[first + 2] = s.res.status;
  let to = (first + 6) << 2;
  texts.forEach((text, i) => {
    const length = buf.write(text, to);
    words[first + 3 + i] = length;
    to += length;
  });
  writer.commit(at, typeWord(type, 0), id, padded(to - at - frameHeadBytes), 0);
}

/** How a stream ended, as read. */
export interface Outcome {
  readonly code: number;
  readonly tries: number;
  readonly status: number;
  readonly route: string;
  readonly cluster: string;
  readonly host: string;
}

export function readOutcome(frame: FrameView): Outcome {
  const route = frame.word(3);
  const cluster = frame.word(4);
  return {
    code: frame.word(0),
    tries: frame.word(1),
    status: frame.word(2),
    route: frame.text(24, route),
    cluster: frame.text(24 + route, cluster),
    host: frame.text(24 + route + cluster, frame.word(5)),
  };
}

function finish(
  writer: BatchWriter,
  at: number,
  type: number,
  id: number,
  headBytes: number,
  body: BodyBytes | null,
): void {
  const bodyBytes = body === null ? 0 : body.b - body.a;
  if (body === null || bodyBytes === 0) {
    writer.commit(at, type, id, headBytes, 0);
  } else if (isPiece(bodyBytes)) {
    const flagged = type | (FrameFlag.piece << 8);
    writer.commitPiece(at, flagged, id, headBytes, pieceOf(body.buf, body.a, body.b, body.isExclusive));
  } else {
    body.buf.copy(writer.buf, at + frameHeadBytes + headBytes, body.a, body.b);
    writer.commit(at, type, id, headBytes, bodyBytes);
  }
}
