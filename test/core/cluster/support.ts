import type { Clock, Timer } from '../../../src/core/base/clock.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import * as balancers from '../../../src/core/cluster/balancers/index.ts';
import type { ClusterDependencies } from '../../../src/core/cluster/settings.ts';
import type { BalancerDefinition, Endpoint, Host, HostUpstream } from '../../../src/core/contract/cluster.ts';
import type { LogFields, Logger } from '../../../src/core/contract/logger.ts';
import type { RegistryDelta } from '../../../src/core/contract/registry.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';

/** Time that moves when told; timers fire in order of their deadlines. */
export class ManualClock implements Clock {
  nowMs = 1_000_000;
  wallMs = 1_700_000_000_000;
  readonly #timers = new Set<{ dueMs: number; run: () => void }>();

  now(): number {
    return this.nowMs;
  }

  wallNow(): number {
    return this.wallMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const target = this.nowMs + ms;
    for (;;) {
      let next: { dueMs: number; run: () => void } | null = null;
      for (const timer of this.#timers) {
        if (timer.dueMs <= target && (next === null || timer.dueMs < next.dueMs)) next = timer;
      }
      if (next === null) break;
      this.#timers.delete(next);
      this.#moveTo(Math.max(this.nowMs, next.dueMs));
      next.run();
    }
    this.#moveTo(target);
  }

  #moveTo(ms: number): void {
    this.wallMs += ms - this.nowMs;
    this.nowMs = ms;
  }
}

export class MemoryLogger implements Logger {
  level = 'debug' as const;
  readonly lines: { level: string; message: string; fields: LogFields }[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'debug', message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'error', message, fields });
  }
}

class FakeUpstream implements HostUpstream {
  readonly address: string;
  drained = 0;
  closed = 0;

  constructor(host: Host) {
    this.address = host.address;
  }

  open(): number {
    return 0;
  }

  cancelWait(): void {}

  drain(): void {
    this.drained++;
  }

  close(): void {
    this.closed++;
  }
}

export interface TestDependencies extends ClusterDependencies {
  readonly clock: ManualClock;
  readonly logger: MemoryLogger;
  readonly upstreams: FakeUpstream[];
}

export function testDependencies(seed = 1, more: readonly BalancerDefinition[] = []): TestDependencies {
  const upstreams: FakeUpstream[] = [];
  const definitions = [...Object.values(balancers), ...more] as BalancerDefinition[];
  return {
    clock: new ManualClock(),
    random: new SeededRandom(seed),
    logger: new MemoryLogger(),
    metrics: new MetricsTable(),
    balancers: new Map(definitions.map((each) => [each.name, each])),
    upstreams,
    createUpstream: (host) => {
      const upstream = new FakeUpstream(host);
      upstreams.push(upstream);
      return upstream;
    },
  };
}

export function endpoint(address: string, facts: Partial<Endpoint> = {}): Endpoint {
  return { address, weight: 1, metadata: {}, zone: '', priority: 0, hostname: '', ...facts };
}

/** 10.x.y.z:80 for i = 0, 1, ... */
export function endpoints(count: number, facts: (i: number) => Partial<Endpoint> = () => ({})): Endpoint[] {
  return Array.from({ length: count }, (_, i) =>
    endpoint(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}:80`, facts(i)),
  );
}

export function full(...added: Endpoint[]): RegistryDelta {
  return { service: 's', version: 1, full: true, added, removed: [], changed: [] };
}

export function change(delta: Partial<RegistryDelta>): RegistryDelta {
  return { service: 's', version: 2, full: false, added: [], removed: [], changed: [], ...delta };
}

/** As much of a stream as host selection reads. */
export function stream(tried: Host[] | null = null): Stream {
  return { triedHosts: tried, metadata: null, route: null } as unknown as Stream;
}

/** Pearson's statistic of counts against expected shares. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shareSum = shares.reduce((sum, share) => sum + share, 0);
  return counts.reduce((sum, count, i) => {
    const expected = (total * (shares[i] as number)) / shareSum;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/** The value that chi-square with `freedom` degrees exceeds once in 10,000 (Wilson and Hilferty, 1931). */
export function chiSquareLimit(freedom: number): number {
  const z = 3.719;
  const term = 2 / (9 * freedom);
  return freedom * (1 - term + z * Math.sqrt(term)) ** 3;
}
