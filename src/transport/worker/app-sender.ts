import { Code } from '../../core/base/codes.ts';
import type { Stream, StreamCore } from '../../core/contract/stream.ts';
import { type AppCoreContext, AppStreams, type Open } from './app-streams.ts';
import { FrameFlag, FrameType } from './frame.ts';
import { type HeadFrame, writeData, writeHeadFrame, writeNumber, writeRpcFrame } from './frame-writer.ts';
import type { ThreadLink } from './link.ts';
import { OpenSpans } from './open-spans.ts';
import { RpcMessage, rpcFlagOf } from './rpc-frames.ts';

/** Even, and without the bit of tunnels. */
const callIds = 0x3ffffffe;
const noFacts = { authority: '', peer: '' };

/**
 * What leaves the application's thread: it stands where the stream core stands in-process. Callers (`mesh.request`,
 * `mesh.rpc`) enter by `requestHead`, handlers answer by `responseHead`, and both are the very objects that they are
 * in-process. What they say becomes frames.
 */
export abstract class AppSender extends AppStreams implements StreamCore {
  readonly spans: OpenSpans;
  /** What new streams meet while there is no worker. */
  protected downCode: number = Code.workerDown;
  #lastId = 0;

  constructor(context: AppCoreContext) {
    super(context);
    this.spans = new OpenSpans(context);
  }

  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const link = this.link;
    if (link === null) {
      s.code = this.downCode;
      s.down?.reset(s, s.code);
      this.release(s);
      return;
    }
    s.upId = this.#lastId = (this.#lastId + 2) & callIds;
    const call: Open = this.begin(s, s.upId);
    call.written = link.writer.posted;
    let flags = end ? FrameFlag.end : 0;
    if (this.context.trace(s)) {
      flags |= FrameFlag.traced;
      if (s.span !== null) this.spans.add(s.upId, s);
    }
    const leftMs = s.routeDeadlineMs > 0 ? s.routeDeadlineMs - this.context.clock.now() : 0;
    const timeoutMs = s.routeDeadlineMs > 0 ? Math.max(1, Math.ceil(leftMs)) : 0;
    const frame = { type: FrameType.request, id: s.upId, flags, key: 0, timeoutMs };
    if (rpcFlagOf(s.req) !== 0) {
      this.#sendRpc(link, frame, s, buf === null ? nothing : buf.subarray(a, b));
      return;
    }
    writeHeadFrame(link.writer, frame, s.req, buf === null ? null : { buf, a, b, isExclusive: false });
    if (!end && buf !== null && !call.sent(b - a)) s.down?.pauseRead(s);
  }

  /** Made by `mesh.rpc`: complete, and edited at most by the tracer. */
  #sendRpc({ writer }: ThreadLink, frame: HeadFrame, s: Stream, body: Buffer): void {
    const message = new RpcMessage(s.req);
    message.add(s.req.buf, s.req.bodyStart, s.req.bodyStart + body.length, true);
    const whole = message.frame(null);
    if (typeof whole === 'number') {
      this.fail(s, whole === Code.none ? Code.upstreamProtocol : whole);
      return;
    }
    const facts = { authority: s.req.authority, peer: '' };
    writeRpcFrame(writer, { ...frame, flags: frame.flags | rpcFlagOf(s.req) }, facts, whole);
  }

  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const call = this.open.get(s.upId);
    if (call === undefined || this.link === null) return;
    writeData(this.link.writer, s.upId, { buf, a, b, isExclusive: false }, end);
    if (end) this.endsTunnel(s, 1);
    else if (!call.sent(b - a)) s.down?.pauseRead(s);
  }

  /** One direction of a tunnel has ended; with the other the stream is over. */
  protected endsTunnel(s: Stream, direction: number): void {
    if (!s.isTunnel) return;
    s.tunnelEnds |= direction;
    if (s.tunnelEnds === 3) this.finish(s);
  }

  /** Callers of this process have no trailers to send. */
  requestTrailers(s: Stream): void {
    this.requestData(s, nothing, 0, 0, true);
  }

  downstreamReset(s: Stream, code: number): void {
    this.#giveUp(s, code);
  }

  upstreamReset(s: Stream, code: number): void {
    this.#giveUp(s, code);
  }

  #giveUp(s: Stream, code: number): void {
    if (this.open.get(s.upId)?.s !== s) return;
    if (this.link !== null) writeNumber(this.link.writer, FrameType.reset, s.upId, code);
    this.finish(s);
  }

  responseInformational(): void {}

  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const call = this.open.get(s.upId);
    if (call === undefined || this.link === null) return;
    const { writer } = this.link;
    const rpc = rpcFlagOf(s.res);
    const flags = (end ? FrameFlag.end : 0) | rpc;
    const frame = { type: FrameType.response, id: s.upId, flags, key: 0, timeoutMs: 0 };
    if (rpc !== 0) writeRpcFrame(writer, frame, noFacts, s.res.buf.subarray(s.res.start, s.res.end));
    else writeHeadFrame(writer, frame, s.res, buf === null ? null : { buf, a, b, isExclusive: false });
    if (end) this.finish(s);
    else if (buf !== null && !call.sent(b - a)) s.up?.pauseRead(s);
  }

  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const call = this.open.get(s.upId);
    if (call === undefined || this.link === null) return;
    writeData(this.link.writer, s.upId, { buf, a, b, isExclusive: false }, end);
    if (end) this.finish(s);
    else if (!call.sent(b - a)) s.up?.pauseRead(s);
  }

  responseTrailers(s: Stream): void {
    this.responseData(s, nothing, 0, 0, true);
  }

  upstreamReady(): void {}

  resume(): void {}

  reply(): void {}

  onStreamDeadline(): void {}

  protected fail(s: Stream, code: number): void {
    s.code = code;
    s.down?.reset(s, code);
    this.finish(s);
  }
}

const nothing: Buffer = Buffer.alloc(0);
