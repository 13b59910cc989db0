import type { Clock } from '../../core/base/clock.ts';
import { Code } from '../../core/base/codes.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd, StreamSink } from '../../core/contract/stream-end.ts';
import type { BatchWriter } from './batch-writer.ts';
import { LinkStream } from './flow.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import {
  readRpcFacts,
  writeData,
  writeHeadFrame,
  writeNumber,
  writeOutcome,
  writeRpcFrame,
  writeTrailers,
} from './frame-writer.ts';
import { readHead } from './heads.ts';
import { isRpc, RpcMessage, RpcReader, rpcFlagOf } from './rpc-frames.ts';

/** What the serving end works with. */
export interface CallServerContext {
  readonly writer: BatchWriter;
  readonly sink: StreamSink;
  readonly clock: Clock;
  /** Of in-process calls; a reload changes it. */
  pipeline(): Pipeline;
  /** Marks the stream: its trace position was made on the application's thread, which wants to hear the outcome. */
  markTraced(s: Stream, id: number): void;
}

interface Call extends LinkStream {
  /** Collects an RPC answer. */
  message?: RpcMessage;
  isRpc?: boolean;
}

const noFacts = { authority: '', peer: '' };

/** The worker's end of the calls of the application: a server codec whose wire is a message port. */
export class CallServer implements StreamEnd {
  readonly #context: CallServerContext;
  readonly #calls = new Map<number, Call>();
  readonly #rpc = new RpcReader();

  constructor(context: CallServerContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#calls.size;
  }

  onRequest(frame: FrameView): void {
    const { sink, clock, writer } = this.#context;
    const s = sink.acquire();
    let { bodyStart, bodyEnd } = frame;
    let timeoutMs: number;
    if (isRpc(frame.flags)) {
      const facts = readRpcFacts(frame);
      timeoutMs = facts.timeoutMs;
      const code = this.#rpc.request(frame.flags, s.req, frame.body, bodyStart, bodyEnd);
      if (code !== Code.none) {
        sink.release(s);
        writeNumber(writer, FrameType.reset, frame.id, code);
        return;
      }
      s.req.authorityText = facts.authority;
      ({ bodyStart, bodyEnd } = s.req);
    } else {
      timeoutMs = readHead(s.req, frame.buf, frame.words, frame.at);
      // Encoders take the fields as they stand.
      s.req.index();
    }
    s.down = this;
    s.downId = frame.id;
    s.protocol = 'call';
    s.pipeline = this.#context.pipeline();
    s.requestOwned = true;
    if (timeoutMs > 0) s.routeDeadlineMs = clock.now() + timeoutMs;
    if ((frame.flags & FrameFlag.traced) !== 0) this.#context.markTraced(s, frame.id);
    const call: Call = new LinkStream(s, frame.id);
    if (isRpc(frame.flags)) call.isRpc = true;
    this.#calls.set(frame.id, call);
    writer.isQuick = this.#calls.size <= 1;
    const hasBody = bodyEnd > bodyStart;
    const { isEnd } = frame;
    sink.requestHead(s, hasBody ? frame.body : null, bodyStart, bodyEnd, isEnd);
    if (!isEnd && hasBody) call.consumed(writer, bodyEnd - bodyStart);
  }

  onData(frame: FrameView): void {
    const call = this.#calls.get(frame.id);
    if (call === undefined) return;
    const { body, bodyStart, bodyEnd, isEnd } = frame;
    const { s } = call;
    const { gen } = s;
    this.#context.sink.requestData(s, body, bodyStart, bodyEnd, isEnd);
    // A tunnel of which both directions have ended.
    if (s.gen !== gen) this.#calls.delete(frame.id);
    else if (!isEnd) call.consumed(this.#context.writer, bodyEnd - bodyStart);
  }

  onReset(id: number): void {
    const call = this.#take(id);
    if (call !== undefined) this.#context.sink.downstreamReset(call.s, Code.aborted);
  }

  onCredit(id: number, bytes: number): void {
    const call = this.#calls.get(id);
    if (call?.granted(bytes)) this.#context.sink.writable(call.s, this);
  }

  /** As for any caller of this process: it has no use for a 1xx. */
  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const call = this.#calls.get(s.downId);
    if (call === undefined) return true;
    const { writer } = this.#context;
    if (s.isLocalReply && s.code !== Code.none) {
      this.#calls.delete(call.id);
      writeOutcome(writer, FrameType.failed, call.id, s, s.code);
      return true;
    }
    if (call.isRpc === true && rpcFlagOf(head) !== 0) {
      head.retain();
      call.message = new RpcMessage(head);
      return this.sendData(s, buf ?? head.buf, buf === null ? 0 : a, buf === null ? 0 : b, end);
    }
    if (end) this.#calls.delete(call.id);
    const flags = (end ? FrameFlag.end : 0) | (s.isLocalReply ? FrameFlag.local : 0);
    const frame = { type: FrameType.response, id: call.id, flags, key: 0, timeoutMs: 0 };
    const body = buf === null ? null : { buf, a, b, isExclusive: isExclusive(s) };
    writeHeadFrame(writer, frame, head, body);
    return buf === null || end ? true : call.sent(b - a);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const call = this.#calls.get(s.downId);
    if (call === undefined) return true;
    const isHalf = s.isTunnel && (s.tunnelEnds & 1) === 0;
    if (end && !isHalf) this.#calls.delete(call.id);
    if (call.message !== undefined) {
      call.message.add(buf, a, b, s.responseOwned);
      if (end) this.#sendMessage(call, call.message);
      return true;
    }
    writeData(this.#context.writer, call.id, { buf, a, b, isExclusive: isExclusive(s) }, end);
    return end || call.sent(b - a);
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    const call = this.#take(s.downId);
    if (call === undefined) return;
    if (call.message !== undefined) this.#sendMessage(call, call.message);
    else writeTrailers(this.#context.writer, call.id, trailers);
  }

  reset(s: Stream, code: number): void {
    const call = this.#take(s.downId);
    if (call !== undefined) writeOutcome(this.#context.writer, FrameType.failed, call.id, s, code);
  }

  pauseRead(s: Stream): void {
    const call = this.#calls.get(s.downId);
    if (call !== undefined) call.isPaused = true;
  }

  resumeRead(s: Stream): void {
    this.#calls.get(s.downId)?.resumed(this.#context.writer);
  }

  #sendMessage({ s, id }: Call, message: RpcMessage): void {
    const { writer } = this.#context;
    const whole = message.frame(s.req);
    if (typeof whole === 'number') {
      writeOutcome(writer, FrameType.failed, id, s, whole === Code.none ? Code.upstreamProtocol : whole);
      return;
    }
    const flags = FrameFlag.end | rpcFlagOf(s.res) | (s.isLocalReply ? FrameFlag.local : 0);
    writeRpcFrame(writer, { type: FrameType.response, id, flags, key: 0, timeoutMs: 0 }, noFacts, whole);
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}

/**
 * May a read of the wire that is all body be given away? Its codec has nothing more to find in it, and no filter saw
 * it that could have kept it.
 */
function isExclusive(s: Stream): boolean {
  return s.responseOwned && !s.isLocalReply && (s.pipeline as Pipeline).filters.responseBody.length === 0;
}
