import { Code } from '../../core/base/codes.ts';
import { HeadView } from '../../core/base/head-view.ts';
import type { Cluster, Host, HostUpstream } from '../../core/contract/cluster.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { AppSender } from './app-sender.ts';
import type { Open } from './app-streams.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import { readOutcome, readRpcFacts, writeNumber } from './frame-writer.ts';
import { readHead } from './heads.ts';
import type { ThreadLink } from './link.ts';
import { noOutcome } from './open-spans.ts';
import { isRpc, RpcReader } from './rpc-frames.ts';

const nobody = { port: 0, spiffeId: null, certificateSha256: null, serverName: null };

/**
 * The application's end of the mesh in the worker: what arrives from there goes to the callers and handlers whose words
 * `AppSender` sends.
 */
export class AppCore extends AppSender {
  /** By the key that the worker uses. */
  readonly handlers = new Map<number, HostUpstream>();
  readonly #rpc = new RpcReader();
  readonly #clusters = new Map<string, Cluster>();

  /**
   * The worker is gone: every stream of it fails. @param code of what was on its way; what had not left fails as
   * `workerDown`, and may be sent again. @param later what new streams meet until `attach`
   */
  detach(code: number, later: number = Code.workerDown): void {
    const posted = this.link?.writer.posted ?? 0;
    this.link = null;
    this.downCode = later;
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
    this.spans.endAll(code);
  }

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
        this.fail(s, Code.upstreamProtocol);
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
    else this.endsTunnel(s, 2);
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
    this.fail(s, outcome.code);
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
    this.spans.end(id, { ...noOutcome, code });
    this.fail(call.s, code);
  }

  onOutcome(frame: FrameView): void {
    this.spans.end(frame.id, readOutcome(frame));
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
