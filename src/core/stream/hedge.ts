import { Code } from '../base/codes.ts';
import { WheelNode } from '../base/timer-wheel.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import { type HedgeRace, PolicyState } from '../contract/policy-state.ts';
import type { HedgePolicy, Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { armStream } from './deadlines.ts';
import { HedgeCluster } from './hedge-cluster.ts';
import { HedgeEnd, type HedgeJudge } from './hedge-end.ts';
import { completeHead, innerStream } from './inner-streams.ts';
import { followsRedirect } from './internal-redirect.ts';
import type { StreamProxy } from './proxy.ts';
import { canReplay, isIdempotent } from './retry.ts';
import { cancelUpstream, releaseUpstream } from './upstream-end.ts';

/** A try begins, on a route with hedging. */
export function beginHedging(p: StreamProxy, s: Stream, policy: HedgePolicy): void {
  if (s.req.upgrade !== '' || !isIdempotent(s)) return;
  s.policy ??= new PolicyState();
  s.policy.hedge ??= new HedgeTries(p, s, policy);
  s.policy.hedge.begin();
}

interface Hedge {
  readonly stream: Stream;
  readonly gen: number;
  readonly end: HedgeEnd;
}

/**
 * The tries of one stream beside its own. Each is an inner stream to another host of the same cluster; the first good
 * answer becomes the stream's, whoever brings it, and all others are reset. A bad answer or a failure only counts when
 * nobody is left who could do better.
 */
class HedgeTries extends WheelNode implements HedgeRace, HedgeJudge {
  readonly #proxy: StreamProxy;
  readonly #stream: Stream;
  readonly #policy: HedgePolicy;
  #hedges: Hedge[] = [];
  #started = 0;
  /** The stream's own try is over, without an answer that counts. */
  #isOwnOver = false;
  #cluster: HedgeCluster | null = null;

  constructor(proxy: StreamProxy, stream: Stream, policy: HedgePolicy) {
    super();
    this.#proxy = proxy;
    this.#stream = stream;
    this.#policy = policy;
  }

  begin(): void {
    this.#isOwnOver = false;
    this.#arm(this.#proxy.context.clock.now());
  }

  onDeadline(nowMs: number): void {
    if (this.#start()) this.#arm(nowMs);
  }

  #arm(nowMs: number): void {
    const { delayMs, maxHedges } = this.#policy;
    if (delayMs > 0 && this.#started < maxHedges) this.#proxy.context.wheel.arm(this, nowMs + delayMs);
  }

  join(nowMs: number): boolean {
    if (this.#policy.delayMs > 0 || !this.#start()) return false;
    const s = this.#stream;
    const perTryMs = (s.route as Route).retry?.perTryTimeoutMs ?? 0;
    // Once all have joined the route's limit alone ends them.
    s.tryDeadlineMs = this.#started < this.#policy.maxHedges ? nowMs + perTryMs : 0;
    armStream(this.#proxy.context.wheel, s);
    return true;
  }

  /** Sends another try, if the request may be repeated and the cluster allows it. */
  #start(): boolean {
    const s = this.#stream;
    if (this.#started >= this.#policy.maxHedges || !mayHedge(s)) return false;
    const cluster = s.cluster as Cluster;
    const { metrics } = this.#proxy.context;
    if (!cluster.takeRetry()) {
      (metrics.values[cluster.slots.retryOverflow] as number)++;
      return false;
    }
    this.#cluster ??= new HedgeCluster(cluster, metrics);
    (metrics.values[this.#cluster.hedges] as number)++;
    this.#started++;
    this.#send(s, this.#cluster);
    return true;
  }

  #send(s: Stream, cluster: HedgeCluster): void {
    const end = new HedgeEnd(this.#proxy, this, s);
    const inner = innerStream(this.#proxy, 'hedge', s, this.#policy.route, end.down);
    const { chunks } = s.requestBody;
    const body = chunks.length < 2 ? (chunks[0] ?? null) : Buffer.concat(chunks);
    completeHead(inner, body);
    inner.cluster = cluster;
    inner.target = s.target;
    inner.holdsRetry = true;
    if (inner.policy !== null) inner.policy.cookies = s.policy?.cookies ?? null;
    inner.triedHosts = [
      ...(s.triedHosts ?? []),
      ...hostsOf(s),
      ...this.#hedges.flatMap((each) => hostsOf(each.stream)),
    ];
    this.#hedges.push({ stream: inner, gen: inner.gen, end });
    this.#proxy.requestHead(inner, body, 0, body?.length ?? 0, true);
  }

  outlivesAnswer(end: boolean): boolean {
    const s = this.#stream;
    if (s.res.status < 500 || this.#hedges.length === 0) {
      this.cancel();
      return false;
    }
    (s.cluster as Cluster).report(s.host as Host, s.res.status, 0, s.firstByteMs - s.tryStartMs);
    const { up } = s;
    s.up = null;
    if (!end && up !== null) up.reset(s, Code.locallyClosed);
    s.res.reset();
    s.responseDone = false;
    s.responseBytes = s.endMs = 0;
    this.#ownOver();
    return true;
  }

  outlivesFailure(): boolean {
    if (this.#hedges.length === 0) {
      this.#proxy.context.wheel.disarm(this);
      return false;
    }
    this.#ownOver();
    return true;
  }

  #ownOver(): void {
    const s = this.#stream;
    this.#isOwnOver = true;
    releaseUpstream(s);
    s.phase = Phase.awaitUpstream;
    s.tryDeadlineMs = 0;
    armStream(this.#proxy.context.wheel, s);
  }

  cancel(): void {
    this.#proxy.context.wheel.disarm(this);
    const hedges = this.#hedges;
    this.#hedges = [];
    for (const { stream, gen } of hedges) {
      if (stream.gen === gen && stream.down !== null) this.#proxy.downstreamReset(stream, Code.locallyClosed);
    }
  }

  answered(inner: Stream, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const hedge = this.#hedges.find((each) => each.stream === inner);
    if (hedge === undefined) return false;
    if (inner.isLocalReply) {
      this.failed(inner, inner.code);
      return false;
    }
    this.#hedges = this.#hedges.filter((each) => each !== hedge);
    const isLast = this.#isOwnOver && this.#hedges.length === 0;
    if (inner.res.status >= 500 && !isLast) {
      if (!end) this.#proxy.downstreamReset(inner, Code.locallyClosed);
      return false;
    }
    this.#win(hedge, buf, a, b, end);
    return true;
  }

  failed(inner: Stream, code: number): void {
    this.#hedges = this.#hedges.filter((each) => each.stream !== inner);
    if (!this.#isOwnOver || this.#hedges.length > 0) return;
    const s = this.#stream;
    // Its own try and each hedge were reported when they ended.
    if (s.host !== null) s.triedHosts = [...(s.triedHosts ?? []), s.host];
    s.host = null;
    this.#proxy.upstreamReset(s, code === Code.none ? Code.upstreamReset : code);
  }

  #win({ stream: inner, end: ends }: Hedge, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const s = this.#stream;
    this.cancel();
    cancelUpstream(s, Code.locallyClosed);
    const { metrics } = this.#proxy.context;
    (metrics.values[(this.#cluster as HedgeCluster).wins] as number)++;
    const { res } = s;
    s.res = inner.res;
    inner.res = res;
    inner.res.reset();
    s.host = inner.host;
    s.up = end ? null : ends.up;
    s.requestSent = true;
    s.responseOwned = inner.responseOwned;
    s.firstByteMs = s.lastActivityMs = inner.firstByteMs;
    s.responseDone = end;
    if (end) s.endMs = s.firstByteMs;
    if (buf !== null) s.responseBytes += b - a;
    s.tryDeadlineMs = 0;
    const { timeoutMs, internalRedirect } = s.route as Route;
    if (s.routeDeadlineMs === s.requestDoneMs + timeoutMs) s.routeDeadlineMs = s.callDeadlineMs;
    if (internalRedirect !== null && followsRedirect(this.#proxy, s, internalRedirect, end)) return;
    this.#proxy.filterResponse(s, buf, a, b, end);
  }
}

/** The whole request is here, as it went through the body filters, and no answer has begun. */
function mayHedge(s: Stream): boolean {
  const filters = (s.pipeline as Pipeline).filters.requestBody;
  return (
    s.phase === Phase.awaitUpstream &&
    s.requestDone &&
    s.requestTrailers === null &&
    canReplay(s) &&
    (s.requestSent || filters.length === 0)
  );
}

const hostsOf = (s: Stream): Host[] => (s.host === null ? [] : [s.host]);
