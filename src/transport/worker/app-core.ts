import { Code } from '../../core/base/codes.ts';
import { HeadView } from '../../core/base/head-view.ts';
import type { Cluster, Host, HostUpstream } from '../../core/contract/cluster.ts';
import type { Stream, StreamCore } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { AppStreams, type Open, type OpenSpan } from './app-streams.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import {
  type HeadFrame,
  readOutcome,
  readRpcFacts,
  writeData,
  writeHeadFrame,
  writeNumber,
  writeRpcFrame,
} from './frame-writer.ts';
import { readHead } from './heads.ts';
import type { ThreadLink } from './link.ts';
import { isRpc, RpcMessage, RpcReader, rpcFlagOf } from './rpc-frames.ts';

/** Even, and without the bit of tunnels. */
const callIds = 0x3ffffffe;
const nobody = { port: 0, spiffeId: null, certificateSha256: null, serverName: null };
const noOutcome = { tries: 0, status: 0, route: '', cluster: '', host: '' };
const noFacts = { authority: '', peer: '' };

/**
 * The application's end of the mesh in the worker. It stands where the stream core stands in-process: callers
 * (`mesh.request`, `mesh.rpc`) enter by `requestHead`, handlers answer by `responseHead`, and both are the very
 * objects that they are in-process. What they say leaves as frames.
 */
export class AppCore extends AppStreams implements StreamCore {
  /** By the key that the worker uses. */
  readonly handlers = new Map<number, HostUpstream>();
  #downCode: number = Code.workerDown;
  readonly #spans = new Map<number, OpenSpan>();
  readonly #rpc = new RpcReader();
  readonly #clusters = new Map<string, Cluster>();
  #lastId = 0;

  /**
   * The worker is gone: every stream of it fails. @param code of what was on its way; what had not left fails as
   * `workerDown`, and may be sent again. @param later what new streams meet until `attach`
   */
  detach(code: number, later: number = Code.workerDown): void {
    const posted = this.link?.writer.posted ?? 0;
    this.link = null;
    this.#downCode = later;
    const open = [...this.open.values()];
    this.open.clear();
    for (const each of open) {
      const { s } = each;
      const hasLeft = each.written !== posted;
      s.code = hasLeft || code === Code.meshClosed ? code : Code.workerDown;
      if (each.isHandler === true) s.up?.reset(s, code);
      else s.down?.reset(s, s.code);
      this.ended(s);
    }
    for (const id of [...this.#spans.keys()]) this.#endSpan(id, code);
  }

  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const link = this.link;
    if (link === null) {
      s.code = this.#downCode;
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
      if (s.span !== null) this.openSpan(s.upId, s);
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

  /** The span of a stream waits for the outcome of that number. */
  openSpan(id: number, s: Stream): void {
    this.#spans.set(id, { span: s.span, method: s.req.method, protocol: s.protocol });
  }

  /** Made by `mesh.rpc`: complete, and edited at most by the tracer. */
  #sendRpc({ writer }: ThreadLink, frame: HeadFrame, s: Stream, body: Buffer): void {
    const message = new RpcMessage(s.req);
    message.add(s.req.buf, s.req.bodyStart, s.req.bodyStart + body.length, true);
    const whole = message.frame(null);
    if (typeof whole === 'number') {
      this.#fail(s, whole === Code.none ? Code.upstreamProtocol : whole);
      return;
    }
    const facts = { authority: s.req.authority, peer: '' };
    writeRpcFrame(writer, { ...frame, flags: frame.flags | rpcFlagOf(s.req) }, facts, whole);
  }

  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const call = this.open.get(s.upId);
    if (call === undefined || this.link === null) return;
    writeData(this.link.writer, s.upId, { buf, a, b, isExclusive: false }, end);
    if (end) this.#endsTunnel(s, 1);
    else if (!call.sent(b - a)) s.down?.pauseRead(s);
  }

  /** One direction of a tunnel has ended; with the other the stream is over. */
  #endsTunnel(s: Stream, direction: number): void {
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

  /** A stream for a handler. */
  onRequest(frame: FrameView): void {
    const link = this.link as ThreadLink;
    const upstream = this.handlers.get(frame.key);
    const s = this.acquire();
    let { bodyStart, bodyEnd } = frame;
    let code: number = upstream === undefined ? Code.upstreamRefused : Code.none;
    if (isRpc(frame.flags)) {
      const facts = readRpcFacts(frame);
      if (code === Code.none) code = this.#rpc.request(frame.flags, s.req, frame.body, bodyStart, bodyEnd);
      s.req.authorityText = facts.authority;
      s.peer = { ...nobody, address: facts.peer };
      ({ bodyStart, bodyEnd } = s.req);
    } else readHead(s.req, frame.buf, frame.words, frame.at);
    s.upId = frame.id;
    const end = code === Code.none ? upstream?.open(s) : code;
    if (end === undefined || typeof end === 'number') {
      writeNumber(link.writer, FrameType.reset, frame.id, end ?? Code.upstreamRefused);
      this.release(s);
      return;
    }
    s.up = end;
    s.requestOwned = true;
    const call: Open = this.begin(s, frame.id);
    call.isHandler = true;
    const hasBody = bodyEnd > bodyStart;
    const { gen } = s;
    const hasRoom = end.sendHead(s, s.req, hasBody ? frame.body : null, bodyStart, bodyEnd, frame.isEnd);
    if (s.gen === gen && !frame.isEnd) this.arrived(call, bodyEnd - bodyStart, hasRoom);
  }

  onResponse(frame: FrameView): void {
    const call = this.open.get(frame.id);
    if (call === undefined) return;
    const { s } = call;
    const { isEnd, body } = frame;
    let { bodyStart, bodyEnd } = frame;
    s.isLocalReply = (frame.flags & FrameFlag.local) !== 0;
    if (isRpc(frame.flags)) {
      s.res.reset();
      if (this.#rpc.response(frame.flags, s.res, body, bodyStart, bodyEnd) !== Code.none) {
        this.#fail(s, Code.upstreamProtocol);
        return;
      }
      ({ bodyStart, bodyEnd } = s.res);
    } else {
      readHead(s.res, frame.buf, frame.words, frame.at);
      // A caller looks for the fields that he wants; the encoder of `openHttp` takes them as they stand.
      if (s.protocol !== 'call') s.res.index();
    }
    s.responseOwned = true;
    const { status } = s.res;
    s.isTunnel = status === 101 || (status < 300 && s.req.upgrade === 'connect');
    if (isEnd) this.open.delete(frame.id);
    const hasBody = bodyEnd > bodyStart;
    const { gen } = s;
    const hasRoom = (s.down as StreamEnd).sendHead(
      s,
      s.res,
      hasBody ? body : null,
      bodyStart,
      bodyEnd,
      isEnd,
    );
    if (s.gen !== gen) return;
    if (isEnd) this.ended(s);
    else this.arrived(call, bodyEnd - bodyStart, hasRoom);
  }

  onData(frame: FrameView): void {
    const call = this.open.get(frame.id);
    if (call === undefined) return;
    const { s } = call;
    const { body, bodyStart, bodyEnd, isEnd } = frame;
    const { gen } = s;
    const to = (call.isHandler === true ? s.up : s.down) as StreamEnd;
    const isLast = isEnd && call.isHandler !== true && !s.isTunnel;
    if (isLast) this.open.delete(frame.id);
    const hasRoom = to.sendData(s, body, bodyStart, bodyEnd, isEnd);
    if (s.gen !== gen) return;
    if (!isEnd) this.arrived(call, bodyEnd - bodyStart, hasRoom);
    else if (isLast) this.ended(s);
    else this.#endsTunnel(s, 2);
  }

  onTrailers(frame: FrameView): void {
    const call = this.open.get(frame.id);
    if (call === undefined) return;
    const { s } = call;
    const trailers = new HeadView();
    readHead(trailers, frame.buf, frame.words, frame.at);
    trailers.index();
    if (call.isHandler === true) {
      s.up?.sendTrailers(s, trailers);
      return;
    }
    s.down?.sendTrailers(s, trailers);
    this.finish(s);
  }

  onFailed(frame: FrameView): void {
    const call = this.open.get(frame.id);
    if (call === undefined) return;
    const { s } = call;
    const outcome = readOutcome(frame);
    s.tries = outcome.tries;
    if (outcome.cluster !== '') s.cluster = this.#clusterOf(outcome.cluster);
    if (outcome.host !== '') s.host = { address: outcome.host } as unknown as Host;
    this.#fail(s, outcome.code);
  }

  onReset(id: number, code: number): void {
    const call = this.open.get(id);
    if (call === undefined) return;
    if (call.isHandler === true) {
      call.s.up?.reset(call.s, code);
      this.finish(call.s);
      return;
    }
    // It never entered the mesh there: no outcome follows.
    this.#endSpan(id, code);
    this.#fail(call.s, code);
  }

  #endSpan(id: number, code: number): void {
    const open = this.#spans.get(id);
    if (open === undefined) return;
    this.#spans.delete(id);
    this.context.endSpan(open, { ...noOutcome, code });
  }

  onOutcome(frame: FrameView): void {
    const open = this.#spans.get(frame.id);
    if (open === undefined) return;
    this.#spans.delete(frame.id);
    this.context.endSpan(open, readOutcome(frame));
  }

  #fail(s: Stream, code: number): void {
    s.code = code;
    s.down?.reset(s, code);
    this.finish(s);
  }

  /** Errors read the name of a cluster and nothing else. */
  #clusterOf(name: string): Cluster {
    let cluster = this.#clusters.get(name);
    if (cluster === undefined) {
      cluster = { name } as unknown as Cluster;
      this.#clusters.set(name, cluster);
    }
    return cluster;
  }
}

const nothing: Buffer = Buffer.alloc(0);
