import { Code } from '../base/codes.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import type { MirrorPolicy } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { completeHead, innerStream } from './inner-streams.ts';
import type { StreamProxy } from './proxy.ts';

/** Of an answer that nobody reads so much is taken in, so that the connection can be used again. */
const maxDiscardedBytes = 1_048_576;

/** Where the copies of one policy go; the end of all their streams, which takes answers and drops them. */
export class MirrorTarget implements StreamEnd {
  readonly policy: MirrorPolicy;
  outstanding = 0;
  readonly #proxy: StreamProxy;
  readonly #counts: Readonly<Record<'copies' | DropReason, number>>;

  constructor(policy: MirrorPolicy, proxy: StreamProxy) {
    this.policy = policy;
    this.#proxy = proxy;
    const { metrics } = proxy.context;
    const cluster = policy.cluster.name;
    const dropped = (reason: DropReason): number =>
      metrics.counter('heddle_mirror_dropped_total', { cluster, reason });
    this.#counts = {
      copies: metrics.counter('heddle_mirror_requests_total', { cluster }),
      body: dropped('body'),
      outstanding: dropped('outstanding'),
      host: dropped('host'),
      failed: dropped('failed'),
    };
  }

  /** Sends the copies of a request that is complete. */
  send(s: Stream, body: Buffer | null): void {
    const { policy } = this;
    const cluster = policy.cluster.current;
    if (cluster === null) this.dropped('host');
    else if (!policy.broadcast) this.#sendTo(s, cluster, null, body);
    else {
      const { available } = cluster.hostSet;
      if (available.length === 0) this.dropped('host');
      for (const host of available) this.#sendTo(s, cluster, host, body);
    }
  }

  dropped(reason: DropReason): void {
    this.#count(this.#counts[reason]);
  }

  #sendTo(s: Stream, cluster: Cluster, host: Host | null, body: Buffer | null): void {
    for (let copy = 0; copy < this.policy.amplification; copy++) {
      if (this.outstanding >= this.policy.maxOutstanding) {
        this.dropped('outstanding');
        return;
      }
      this.#sendOne(s, cluster, host, body);
    }
  }

  #sendOne(s: Stream, cluster: Cluster, host: Host | null, body: Buffer | null): void {
    const { policy } = this;
    const inner = innerStream(this.#proxy, 'mirror', s, policy.route, this);
    completeHead(inner, body);
    inner.req.set('x-heddle-mirror', '1');
    if (policy.hostSuffix !== '') inner.req.authority = withSuffix(inner.req.authority, policy.hostSuffix);
    if (host !== null) inner.cluster = new OneHost(cluster, host);
    this.outstanding++;
    this.#count(this.#counts.copies);
    this.#proxy.requestHead(inner, body, 0, body?.length ?? 0, true);
  }

  #count(slot: number): void {
    (this.#proxy.context.metrics.values[slot] as number)++;
  }

  sendInformational(): void {}

  sendHead(s: Stream, _head: unknown, _buf: unknown, _a: number, _b: number, end: boolean): boolean {
    if (s.isLocalReply && s.code !== Code.none) this.dropped('failed');
    if (end) this.outstanding--;
    return true;
  }

  sendData(s: Stream, _buf: Buffer, _a: number, _b: number, end: boolean): boolean {
    if (end) this.outstanding--;
    else if (s.responseBytes > maxDiscardedBytes) {
      this.outstanding--;
      this.#proxy.downstreamReset(s, Code.aborted);
    }
    return true;
  }

  sendTrailers(): void {
    this.outstanding--;
  }

  reset(): void {
    this.outstanding--;
    this.dropped('failed');
  }

  pauseRead(): void {}

  resumeRead(): void {}
}

type DropReason = 'body' | 'outstanding' | 'host' | 'failed';

/** "api.test:80" becomes "api.test-shadow:80"; an address in brackets has no name to change. */
function withSuffix(authority: string, suffix: string): string {
  if (authority.startsWith('[')) return authority;
  const colon = authority.indexOf(':');
  const end = colon < 0 ? authority.length : colon;
  return authority.slice(0, end) + suffix + authority.slice(end);
}

/** A cluster of which one host is chosen already. */
class OneHost implements Cluster {
  readonly name: string;
  readonly hostSet: Cluster['hostSet'];
  readonly connectTimeoutMs: number;
  readonly slots: Cluster['slots'];
  readonly #cluster: Cluster;
  readonly #host: Host;

  constructor(cluster: Cluster, host: Host) {
    this.name = cluster.name;
    this.hostSet = cluster.hostSet;
    this.connectTimeoutMs = cluster.connectTimeoutMs;
    this.slots = cluster.slots;
    this.#cluster = cluster;
    this.#host = host;
  }

  chooseHost(): Host | number {
    return this.#cluster.takeHost(this.#host);
  }

  takeHost(host: Host): Host | number {
    return this.#cluster.takeHost(host);
  }

  release(host: Host): void {
    this.#cluster.release(host);
  }

  report(host: Host, status: number, code: number, durationMs: number): void {
    this.#cluster.report(host, status, code, durationMs);
  }

  takeRetry(): boolean {
    return this.#cluster.takeRetry();
  }

  releaseRetry(): void {
    this.#cluster.releaseRetry();
  }
}
