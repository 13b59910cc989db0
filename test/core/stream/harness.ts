import { BufferBudget } from '../../../src/core/base/buffers.ts';
import type { HeadView } from '../../../src/core/base/head-view.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import { roundRobin } from '../../../src/core/cluster/balancers/round-robin.ts';
import { createCluster, type LiveCluster } from '../../../src/core/cluster/cluster.ts';
import { type ClusterSettings, clusterSettings } from '../../../src/core/cluster/settings.ts';
import type { Pipeline } from '../../../src/core/contract/pipeline.ts';
import { RetryOn, type RetryPolicy, type Route } from '../../../src/core/contract/route.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import type { StreamEnd } from '../../../src/core/contract/stream-end.ts';
import { waiting } from '../../../src/core/contract/stream-end.ts';
import type { FilterStage, StreamFilter } from '../../../src/core/contract/stream-filter.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { makeRoute } from '../../../src/core/route/make-route.ts';
import { buildFilterChain } from '../../../src/core/stream/filter-chain.ts';
import { StreamProxy } from '../../../src/core/stream/proxy.ts';
import { createFakeTime, type FakeClock } from '../../../src/testing/index.ts';

/** One end of a stream that writes down what the core does with it. */
export class RecordingEnd implements StreamEnd {
  readonly events: string[] = [];
  body = '';
  status = 0;
  headers: Record<string, string> = {};
  path = '';
  isFull = false;
  stream: Stream | null = null;

  get isEnded(): boolean {
    return this.events.at(-1)?.endsWith('end') ?? false;
  }

  sendInformational(_s: Stream, head: HeadView): void {
    this.events.push(`informational ${head.status}`);
  }

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.stream = s;
    this.status = head.status;
    this.headers = head.toObject();
    this.path = head.path;
    if (buf !== null) this.body += buf.toString('latin1', a, b);
    const bytes = buf === null ? '' : ` +${b - a}`;
    this.events.push(`head${bytes}${end ? ' end' : ''}`);
    return !this.isFull;
  }

  sendData(_s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    this.body += buf.toString('latin1', a, b);
    this.events.push(`data ${b - a}${end ? ' end' : ''}`);
    return !this.isFull;
  }

  sendTrailers(_s: Stream, trailers: HeadView): void {
    this.events.push(`trailers ${JSON.stringify(trailers.toObject())} end`);
  }

  reset(_s: Stream, code: number): void {
    this.events.push(`reset ${code}`);
  }

  pauseRead(): void {
    this.events.push('pauseRead');
  }

  resumeRead(): void {
    this.events.push('resumeRead');
  }
}

/** Streams that hold a host now. */
export const activeHosts = (h: Harness): number =>
  h.cluster.hostSet.all.reduce((sum, host) => sum + host.active, 0);

export interface HarnessOptions {
  readonly filters?: readonly (StreamFilter & { readonly stage?: FilterStage })[];
  readonly route?: Partial<Route>;
  readonly retry?: Partial<RetryPolicy>;
  readonly hosts?: readonly string[];
  readonly cluster?: Partial<ClusterSettings>;
  readonly pipeline?: Partial<Pipeline>;
  /** What the n-th `open` answers: an end by default, a Code, or 'wait'. */
  readonly open?: (attempt: number) => number | 'wait' | 'end';
  readonly reused?: boolean;
}

export class Harness {
  readonly clock: FakeClock;
  readonly proxy: StreamProxy;
  readonly metrics = new MetricsTable();
  readonly cluster: LiveCluster;
  readonly pipeline: Pipeline;
  readonly down = new RecordingEnd();
  readonly logged: { status: number; code: number; flags: string; tries: number; phase: number }[] = [];
  /** One a try, in order. */
  readonly ups: RecordingEnd[] = [];
  readonly upHosts: string[] = [];
  readonly waiters: Stream[] = [];
  readonly cancelled: Stream[] = [];
  stream: Stream | null = null;

  constructor(options: HarnessOptions = {}) {
    const { clock, wheel } = createFakeTime();
    this.clock = clock;
    const random = new SeededRandom(7);
    const context = {
      clock,
      wheel,
      random,
      metrics: this.metrics,
      logger: silentLogger,
      budget: new BufferBudget(1 << 28),
    };
    this.proxy = new StreamProxy(context);
    this.cluster = this.#cluster(options, random);
    this.pipeline = this.#pipeline(options);
  }

  /** Starts a request as a codec would. */
  begin(
    method = 'GET',
    options: {
      body?: string;
      end?: boolean;
      headers?: Record<string, string>;
      path?: string;
      upgrade?: string;
    } = {},
  ): Stream {
    const s = this.proxy.acquire();
    this.stream = s;
    s.req.methodText = method;
    s.req.path = options.path ?? '/';
    s.req.authority = 'a.test';
    s.req.upgrade = options.upgrade ?? '';
    for (const [name, value] of Object.entries(options.headers ?? {})) s.req.add(name, value);
    s.down = this.down;
    s.pipeline = this.pipeline;
    s.protocol = 'http1';
    const buf = options.body === undefined ? null : Buffer.from(options.body);
    this.proxy.requestHead(s, buf, 0, buf?.length ?? 0, options.end ?? true);
    return s;
  }

  /** The latest try's upstream end. */
  get up(): RecordingEnd {
    const up = this.ups.at(-1);
    if (up === undefined) throw new Error('nothing was opened upstream');
    return up;
  }

  answer(s: Stream, status = 200, body = '', end = true): void {
    s.res.reset();
    s.res.status = status;
    const buf = body === '' ? null : Buffer.from(body);
    this.proxy.responseHead(s, buf, 0, buf?.length ?? 0, end);
  }

  value(name: string, labels: Record<string, string>): number {
    return this.metrics.values[this.metrics.counter(name, labels)] as number;
  }

  #cluster(options: HarnessOptions, random: SeededRandom): LiveCluster {
    const cluster = createCluster(clusterSettings({ name: 'c', ...options.cluster }), {
      createUpstream: (host) => ({
        open: (s) => {
          const answer = options.open?.(this.ups.length + 1) ?? 'end';
          const end = new RecordingEnd();
          this.ups.push(end);
          this.upHosts.push(host.address);
          s.reused = options.reused ?? false;
          if (answer === 'wait') this.waiters.push(s);
          return answer === 'end' ? end : answer === 'wait' ? waiting : answer;
        },
        cancelWait: (s) => this.cancelled.push(s),
        drain() {},
        close() {},
      }),
      balancers: new Map([['roundRobin', roundRobin]]),
      clock: this.clock,
      random,
      metrics: this.metrics,
      logger: silentLogger,
    });
    const addresses = options.hosts ?? ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'];
    cluster.applyDelta({
      service: 'c',
      version: 1,
      full: true,
      added: addresses.map((address) => ({
        address,
        weight: 1,
        metadata: {},
        zone: '',
        priority: 0,
        hostname: '',
      })),
      removed: [],
      changed: [],
    });
    return cluster;
  }

  #pipeline(options: HarnessOptions): Pipeline {
    const route = makeRoute({
      name: 'r',
      virtualHost: 'v',
      action: { kind: 'forward', cluster: { name: 'c', current: this.cluster } },
      retry: options.retry === undefined ? null : { ...defaultRetry, ...options.retry },
      upgrades: ['websocket'],
      ...options.route,
    });
    const m = this.metrics;
    return {
      name: 'l',
      filters: buildFilterChain(
        (options.filters ?? []).map((filter, i) => ({
          name: `f${i}`,
          stage: filter.stage ?? 'beforeRoute',
          filter,
        })),
      ),
      router: { match: (s) => (s.req.path === '/none' ? null : route) },
      accessLogs: [
        {
          write: (s) => {
            this.logged.push({
              status: s.res.status,
              code: s.code,
              flags: s.flags,
              tries: s.tries,
              phase: s.phase,
            });
          },
        },
      ],
      tracer: null,
      streamIdleTimeoutMs: 300_000,
      maxBufferedBytes: 1024,
      serverHeader: null,
      normalizePath: { dotSegments: true, mergeSlashes: false, escapedSlashes: 'keep' },
      slots: {
        requests: m.counter('requests'),
        active: m.gauge('active'),
        resets: m.counter('resets'),
        statusClass: [1, 2, 3, 4, 5].map((each) => m.counter('status', { class: String(each) })),
        duration: m.histogram('duration'),
        bytesReceived: m.counter('received'),
        bytesSent: m.counter('sent'),
      },
      ...options.pipeline,
    };
  }
}

const defaultRetry: RetryPolicy = {
  on: RetryOn.connectFailure | RetryOn.reset | RetryOn.gatewayError | RetryOn.perTryTimeout,
  numRetries: 1,
  perTryTimeoutMs: 0,
  backoffBaseMs: 0,
  backoffMaxMs: 0,
  statusCodes: new Set(),
  nonIdempotent: false,
  retryBufferBytes: 64,
  avoidTriedHosts: true,
};
