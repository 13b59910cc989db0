/** The one table of goals (docs: the limits must be met, the aims are what comes after). Suites name ids, never numbers. */
export interface GoalDefinition {
  readonly limit: number;
  /** Null where meeting the limit is all there is. */
  readonly aim: number | null;
  readonly better: 'lower' | 'higher';
  readonly work: string;
}

const lower = (limit: number, aim: number | null, work: string): GoalDefinition => ({
  limit,
  aim,
  better: 'lower',
  work,
});

const higher = (limit: number, aim: number | null, work: string): GoalDefinition => ({
  limit,
  aim,
  better: 'higher',
  work,
});

export const goals = {
  'http1.vsHaproxy': lower(
    1.2,
    1.0,
    '1 KB, ten working filters, 200 routes, metrics, access log; haproxy with the same work',
  ),
  'http1.bareVsHaproxy': lower(1.3, 1.1, 'plain forwarding on both sides'),
  'http1.vsBestNode': lower(0.5, 0.4, 'the best Node proxy, which rewrites headers only'),
  'http1.vsMosn': lower(0.5, 0.3, 'MOSN with the filters it has'),
  'http1.vsEnvoy': lower(0.8, 0.6, 'Envoy with the filters it has'),
  'pure.proxyFullNs': lower(1700, 1000, 'the whole JavaScript path on fake sockets, ten filters and log'),
  'bolt.vsHaproxyTcp': lower(1.7, 1.2, 'Bolt pipelined, routed by service; haproxy only copies bytes'),
  'bolt.vsMosn': lower(0.3, 0.15, 'Bolt pipelined'),
  'bolt.window1VsHaproxyTcp': lower(1.2, 1.0, 'Bolt, one request at a time on each connection'),
  'heartbeat.vsFixed': lower(0.25, null, 'heartbeats of 100,000 connections against one every 15 s'),
  'dubbo.vsMosn': lower(0.3, 0.15, 'Dubbo pipelined'),
  'http2.vsHaproxy': lower(1.5, 1.1, 'h2 to h2, flow control on'),
  'http2.vsNodeHttp2': lower(0.3, 0.2, 'node:http2 on both sides'),
  'grpc.vsHaproxy': lower(1.5, 1.1, 'gRPC over h2 to h2, flow control on'),
  'tls.vsNginx': lower(1.4, 1.2, 'TLS 1.3, keep-alive'),
  'tls.handshakeVsNginx': lower(1.4, 1.2, 'TLS 1.3, a handshake per request'),
  'tcp.vsHaproxy': lower(1.2, 1.0, '1 KB each way through tcp-proxy; haproxy in mode tcp'),
  'overhead.vsUndici': lower(0.7, 0.45, 'mesh.request with everything on against bare undici.request'),
  'overhead.meshUs': lower(1.6, 0.8, 'that call less pool and codec called directly, on fake sockets'),
  'embed.dispatcherUs': lower(
    2,
    0,
    'CPU a call through the undici dispatcher beyond bare undici, ten filters',
  ),
  'embed.otherHostNs': lower(500, 200, 'CPU that the hooks add to a call to a host of nobody’s business'),
  'embed.startupMs': lower(60, 20, 'CPU of heddle/register beyond an empty script, as installed'),
  'embed.workerAppShare': lower(0.3, 0.2, 'CPU of the calling thread, worker against in-process, TLS hosts'),
  'embed.workerAddedP50Us': lower(40, 30, 'worker against in-process, one call at a time'),
  'hop.addedP50Us': lower(200, 100, '2,000 calls a second over 200 connections, one proxy hop against none'),
  'idle.bytes': lower(5120, 4096, 'resident bytes of an idle connection'),
  'idle.bytesAfterBurst': lower(6400, 4500, 'the same after 1 MiB each way'),
  'discovery.hostUpdateMs': lower(1, 0.2, 'a delta in a 50,000-host cluster'),
  'discovery.updateMemoryShare': lower(0.3, 0.05, 'memory of that delta against a rebuild'),
  'discovery.updateCpuShare': lower(0.24, 0.05, 'CPU of that delta against a rebuild'),
  'discovery.changeToPickP99Ms': lower(
    1000,
    null,
    'from the write to the registry to the first pick of the new host, 100 changes a second',
  ),
  'discovery.stormP99': lower(1.5, null, 'p99 of traffic during 100 changes a second against none'),
  'discovery.appLevelVolume': lower(
    0.1,
    null,
    'bytes of 20 interfaces x 100 instances, application level against interface level',
  ),
  'discovery.subscriptions': lower(0.2, null, 'subscriptions of the same'),
  'sharding.rendezvousCv': lower(
    0.02,
    0.014,
    'imbalance of 6,000 clients x 300 servers x 50 %, also weighted and by zone',
  ),
  'sharding.movedOnAdd': lower(
    1.1,
    1.05,
    'connections opened anew for 10 % more servers against the least possible, likewise',
  ),
  'clusters.subsetBuildMs': lower(30, 20, 'index and all 618 subsets of 50,000 hosts'),
  'clusters.deltaUs': lower(100, 20, 'one host changed among 50,000 with 618 subsets, and the next pick'),
  'monitor.idlePercent': lower(1.0, 0.5, 'of a core, monitor idle'),
  'monitor.armedLossPercent': lower(1.0, 0.5, 'of a core, monitor armed'),
  'monitor.pendingPercent': lower(2.0, 1.0, 'of a core, pending-work tracking duty-cycled'),
  'monitor.rssMb': lower(25, 20, 'resident memory that the monitor adds'),
  'detect.found': higher(
    1.0,
    null,
    'share of failing programs captured in time with the right function and cause',
  ),
  'detect.falseCaptures': lower(0, null, 'captures of healthy programs'),
  'admission.goodputMin': higher(1.0, null, "goodput over each scenario's bound at x2 to x10"),
} as const satisfies Record<string, GoalDefinition>;

export type GoalId = keyof typeof goals;

/** What a suite found out about a goal. */
export interface Measure {
  readonly id: GoalId;
  readonly value: number | null;
  /** Why there is no value; needed when it is null. */
  readonly reason?: string;
}

/** One line of the report's `goals`. */
export interface GoalResult {
  readonly id: GoalId;
  readonly value: number | null;
  readonly limit: number;
  readonly aim: number | null;
  readonly better: 'lower' | 'higher';
  /** False as well when there is no value: what was not measured was not met. */
  readonly met: boolean;
  readonly skipped?: string;
}

/** Compares a measure with its goal. */
export function judge(measure: Measure): GoalResult {
  const { limit, aim, better }: GoalDefinition = goals[measure.id];
  const base = { id: measure.id, limit, aim, better };
  if (measure.value === null || !Number.isFinite(measure.value)) {
    return { ...base, value: null, met: false, skipped: measure.reason ?? 'not measured' };
  }
  const met = better === 'lower' ? measure.value <= limit : measure.value >= limit;
  return { ...base, value: measure.value, met };
}

/** Judges what a suite promised: an id without a measure counts as missed and says why. */
export function judgeAll(
  promised: readonly GoalId[],
  measures: readonly Measure[],
  reason: string,
): GoalResult[] {
  return promised.map((id) =>
    judge(measures.find((measure) => measure.id === id) ?? { id, value: null, reason }),
  );
}
