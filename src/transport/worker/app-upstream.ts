import { Code } from '../../core/base/codes.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { HostUpstream, UpstreamFactory } from '../../core/contract/cluster.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd, StreamSink } from '../../core/contract/stream-end.ts';
import type { BatchWriter } from './batch-writer.ts';
import { LinkStream } from './flow.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import { writeData, writeHeadFrame, writeNumber, writeRpcFrame, writeTrailers } from './frame-writer.ts';
import { readHead } from './heads.ts';
import { isRpc, RpcMessage, RpcReader, rpcFlagOf } from './rpc-frames.ts';

/** Odd, and without the bit of tunnels: -1 makes the first one 1. */
const handlerIds = 0x3fffffff;

interface Call extends LinkStream {
  key?: number;
  message?: RpcMessage;
}

/** Clusters whose one host is code of the application's thread: the worker's end of their streams. */
export class AppUpstreams implements StreamEnd {
  readonly #writer: BatchWriter;
  readonly #sink: StreamSink;
  readonly #calls = new Map<number, Call>();
  readonly #rpc = new RpcReader();
  #lastId = -1;

  constructor(writer: BatchWriter, sink: StreamSink) {
    this.#writer = writer;
    this.#sink = sink;
  }

  /** The upstream of one cluster. @param key by which the application knows it */
  factory(key: number): UpstreamFactory {
    return (): HostUpstream => {
      let isClosed = false;
      return {
        open: (s) => (isClosed ? Code.draining : this.#open(s, key)),
        cancelWait() {},
        drain() {
          isClosed = true;
        },
        close: () => {
          isClosed = true;
          this.#closeAll(key);
        },
      };
    };
  }

  #open(s: Stream, key: number): StreamEnd {
    this.#lastId = (this.#lastId + 2) & handlerIds;
    s.upId = this.#lastId;
    s.reused = false;
    const call: Call = new LinkStream(s, s.upId);
    call.key = key;
    this.#calls.set(s.upId, call);
    return this;
  }

  #closeAll(key: number): void {
    for (const call of [...this.#calls.values()]) {
      if (call.key !== key) continue;
      this.#calls.delete(call.id);
      writeNumber(this.#writer, FrameType.reset, call.id, Code.locallyClosed);
      this.#sink.upstreamReset(call.s, Code.locallyClosed);
    }
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const call = this.#calls.get(s.upId);
    if (call === undefined) return true;
    if (rpcFlagOf(head) !== 0) {
      call.message = new RpcMessage(head);
      return this.sendData(s, buf ?? head.buf, buf === null ? 0 : a, buf === null ? 0 : b, end);
    }
    const flags = end ? FrameFlag.end : 0;
    const frame = { type: FrameType.request, id: call.id, flags, key: call.key ?? 0, timeoutMs: 0 };
    const body = buf === null ? null : { buf, a, b, isExclusive: false };
    writeHeadFrame(this.#writer, frame, head, body);
    return buf === null || end ? true : call.sent(b - a);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const call = this.#calls.get(s.upId);
    if (call === undefined) return true;
    if (call.message === undefined) {
      writeData(this.#writer, call.id, { buf, a, b, isExclusive: false }, end);
      return end || call.sent(b - a);
    }
    call.message.add(buf, a, b, s.requestOwned);
    if (end) this.#sendMessage(call, call.message);
    return true;
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    const call = this.#calls.get(s.upId);
    if (call === undefined) return;
    if (call.message !== undefined) this.#sendMessage(call, call.message);
    else writeTrailers(this.#writer, call.id, trailers);
  }

  #sendMessage(call: Call, message: RpcMessage): void {
    const { s, id, key = 0 } = call;
    const whole = message.frame(null);
    if (typeof whole === 'number') {
      this.#calls.delete(id);
      // Not within the core's own call.
      const { gen } = s;
      queueMicrotask(() => {
        if (s.gen === gen) this.#sink.upstreamReset(s, Code.upstreamProtocol);
      });
      return;
    }
    const flags = FrameFlag.end | rpcFlagOf(s.req);
    const facts = { authority: s.req.authority, peer: s.peer?.address ?? '' };
    writeRpcFrame(this.#writer, { type: FrameType.request, id, flags, key, timeoutMs: 0 }, facts, whole);
  }

  reset(s: Stream, code: number): void {
    if (this.#calls.delete(s.upId)) writeNumber(this.#writer, FrameType.reset, s.upId, code);
  }

  pauseRead(s: Stream): void {
    const call = this.#calls.get(s.upId);
    if (call !== undefined) call.isPaused = true;
  }

  resumeRead(s: Stream): void {
    this.#calls.get(s.upId)?.resumed(this.#writer);
  }

  onResponse(frame: FrameView): void {
    const call = this.#calls.get(frame.id);
    if (call === undefined) return;
    const { s } = call;
    const { isEnd, body } = frame;
    let { bodyStart, bodyEnd } = frame;
    s.res.reset();
    if (isRpc(frame.flags)) {
      if (this.#rpc.response(frame.flags, s.res, body, bodyStart, bodyEnd) !== Code.none) {
        this.onReset(frame.id, Code.upstreamProtocol);
        return;
      }
      ({ bodyStart, bodyEnd } = s.res);
    } else {
      readHead(s.res, frame.buf, frame.words, frame.at);
      // Encoders take the fields as they stand.
      s.res.index();
    }
    s.responseOwned = true;
    if (isEnd) this.#calls.delete(frame.id);
    const hasBody = bodyEnd > bodyStart;
    this.#sink.responseHead(s, hasBody ? body : null, bodyStart, bodyEnd, isEnd);
    if (!isEnd && hasBody) call.consumed(this.#writer, bodyEnd - bodyStart);
  }

  onData(frame: FrameView): void {
    const call = this.#calls.get(frame.id);
    if (call === undefined) return;
    const { body, bodyStart, bodyEnd, isEnd } = frame;
    if (isEnd) this.#calls.delete(frame.id);
    this.#sink.responseData(call.s, body, bodyStart, bodyEnd, isEnd);
    if (!isEnd) call.consumed(this.#writer, bodyEnd - bodyStart);
  }

  onReset(id: number, code: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    this.#sink.upstreamReset(call.s, code);
  }

  onCredit(id: number, bytes: number): void {
    const call = this.#calls.get(id);
    if (call?.granted(bytes)) this.#sink.writable(call.s, this);
  }
}
