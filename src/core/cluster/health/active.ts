import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { type TimerWheel, WheelNode } from '../../base/timer-wheel.ts';
import type { HealthCheckConfig } from '../../contract/cluster-health-config.ts';
import { type HostProbe, ProbeResult } from '../../contract/health-check.ts';
import type { ClusterHost } from '../host.ts';
import { CheckQueue } from './check-queue.ts';

/** First checks of many hosts begin this long after each other, at most over one interval. */
const firstStepMs = 0.5;

/** What checks change outside: the host set, ejections, metrics, the log. */
export interface ActiveHealthObserver {
  /** Streams so far: the cluster is idle while it stays the same. */
  readonly requestCount: number;
  /** Once a change. */
  onHealthy(host: ClusterHost, isFirst: boolean): void;
  onUnhealthy(host: ClusterHost, reason: string): void;
  /** Each check; `reason` is "" for a good one. */
  onChecked(host: ClusterHost, reason: string): void;
}

export interface ActiveHealthContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly openProbe: (host: ClusterHost) => HostProbe;
}

/** The checks of one host: when the next is due, or until when the one that runs may take. */
export class HostCheck extends WheelNode {
  readonly host: ClusterHost;
  probe: HostProbe | null = null;
  /** It is being asked. */
  isRunning = false;
  /** Nothing is known yet. */
  isFirst = true;
  isRemoved = false;
  /** Of the check that runs; an answer with another comes too late. */
  serial = 0;
  /** In a row. */
  passes = 0;
  failures = 0;
  /** When the last one ended, 0 before it; why it failed, "" when it passed. */
  checkedMs = 0;
  reason = '';
  readonly #owner: ActiveHealth;

  constructor(host: ClusterHost, owner: ActiveHealth) {
    super();
    this.host = host;
    this.#owner = owner;
  }

  override onDeadline(nowMs: number): void {
    this.#owner.onDue(this, nowMs);
  }
}

/**
 * Active checks of the hosts of one cluster.
 *
 *   waiting --due--> queue --room among maxConcurrent--> running --answer | timeout--> waiting
 *
 * Each host is one node of the timer wheel, so 50,000 of them cost no timers; their first checks are spread.
 */
export class ActiveHealth {
  readonly settings: HealthCheckConfig;
  readonly #context: ActiveHealthContext;
  readonly #observer: ActiveHealthObserver;
  readonly #queue = new CheckQueue<HostCheck>();
  readonly #checks = new Set<HostCheck>();
  /** Added, and not armed yet. */
  #joined: HostCheck[] = [];
  #running = 0;
  #unchecked = 0;
  #isStarting = false;
  #requestCount = -1;
  #trafficMs = Number.NEGATIVE_INFINITY;

  constructor(settings: HealthCheckConfig, context: ActiveHealthContext, observer: ActiveHealthObserver) {
    this.settings = settings;
    this.#context = context;
    this.#observer = observer;
    this.#requestCount = observer.requestCount;
  }

  /** Checks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Hosts whose first check has not ended. */
  get unchecked(): number {
    return this.#unchecked;
  }

  /** @param isNew it has not served yet: it waits for its first good check */
  add(host: ClusterHost, isNew: boolean): void {
    const check = new HostCheck(host, this);
    host.check = check;
    if (isNew) host.isUnhealthy = true;
    this.#checks.add(check);
    this.#unchecked++;
    this.#joined.push(check);
  }

  /** To be called after hosts were added: their first checks begin now, one a little after the other. */
  begin(): void {
    const { clock, random, wheel } = this.#context;
    const { initialJitterMs, intervalMs } = this.settings;
    const nowMs = clock.now();
    const stepMs = Math.min(firstStepMs, intervalMs / Math.max(1, this.#joined.length));
    this.#joined.forEach((check, i) => {
      if (check.isRemoved) return;
      wheel.arm(
        check,
        nowMs + (initialJitterMs === undefined ? i * stepMs : random.next() * initialJitterMs),
      );
    });
    this.#joined = [];
  }

  remove(host: ClusterHost): void {
    const check = host.check;
    host.check = null;
    if (check !== null) this.#drop(check);
  }

  close(): void {
    for (const check of [...this.#checks]) this.remove(check.host);
  }

  /** @internal By the wheel. */
  onDue(check: HostCheck, nowMs: number): void {
    if (check.isRunning) {
      check.probe?.cancel();
      this.#finish(check, ProbeResult.fail, 'timeout');
      return;
    }
    const idleLeftMs = this.#idleLeftMs(check, nowMs);
    if (idleLeftMs > 0) {
      this.#context.wheel.arm(check, nowMs + Math.min(idleLeftMs, this.settings.intervalMs));
      return;
    }
    this.#queue.push(check);
    this.#startNext();
  }

  /** A probe may answer before it returns: then the loop goes on, it does not nest. */
  #startNext(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#running < this.settings.maxConcurrent) {
      const check = this.#queue.shift();
      if (check === null) break;
      if (!check.isRemoved) this.#start(check);
    }
    this.#isStarting = false;
  }

  #start(check: HostCheck): void {
    const { clock, wheel, openProbe } = this.#context;
    this.#running++;
    check.isRunning = true;
    wheel.arm(check, clock.now() + this.settings.timeoutMs);
    check.probe ??= openProbe(check.host);
    const serial = ++check.serial;
    check.probe.probe((result, reason) => {
      // A probe that answers after all, or twice, says nothing about the check that runs now.
      if (serial === check.serial && check.isRunning) this.#finish(check, result, reason);
    });
  }

  #finish(check: HostCheck, result: ProbeResult, reason: string): void {
    const { clock, wheel } = this.#context;
    this.#running--;
    check.isRunning = false;
    wheel.disarm(check);
    check.checkedMs = clock.now();
    check.reason = result === ProbeResult.pass ? '' : reason;
    if (result === ProbeResult.pass) this.#passed(check);
    else this.#failed(check, result, reason);
    if (check.isFirst && !check.isRemoved) this.#unchecked--;
    check.isFirst = false;
    this.#observer.onChecked(check.host, check.reason);
    if (!check.isRemoved) wheel.arm(check, check.checkedMs + this.#waitMs(check.host));
    this.#startNext();
  }

  #passed(check: HostCheck): void {
    check.failures = 0;
    check.passes++;
    const isEnough = check.isFirst || check.passes >= this.settings.healthyThreshold;
    if (check.host.isUnhealthy && isEnough) this.#observer.onHealthy(check.host, check.isFirst);
  }

  #failed(check: HostCheck, result: ProbeResult, reason: string): void {
    check.passes = 0;
    check.failures++;
    const { isUnhealthy } = check.host;
    const isEnough = result === ProbeResult.failNow || check.failures >= this.settings.unhealthyThreshold;
    if (isUnhealthy ? check.isFirst : isEnough) this.#observer.onUnhealthy(check.host, reason);
  }

  #waitMs(host: ClusterHost): number {
    const { intervalMs, unhealthyIntervalMs, intervalJitterMs, intervalJitterPercent } = this.settings;
    const base = host.isUnhealthy ? (unhealthyIntervalMs ?? intervalMs) : intervalMs;
    const jitterMs = intervalJitterMs + (base * intervalJitterPercent) / 100;
    return base + this.#context.random.next() * jitterMs;
  }

  /** How long a healthy host may still be left in peace because nobody uses the cluster. */
  #idleLeftMs(check: HostCheck, nowMs: number): number {
    const { requestCount } = this.#observer;
    if (requestCount !== this.#requestCount) {
      this.#requestCount = requestCount;
      this.#trafficMs = nowMs;
    }
    const { noTrafficIntervalMs } = this.settings;
    if (check.isFirst || check.host.isUnhealthy || nowMs - this.#trafficMs < noTrafficIntervalMs) return 0;
    return check.checkedMs + noTrafficIntervalMs - nowMs;
  }

  #drop(check: HostCheck): void {
    this.#checks.delete(check);
    check.isRemoved = true;
    if (check.isFirst) this.#unchecked--;
    this.#context.wheel.disarm(check);
    if (check.isRunning) {
      check.isRunning = false;
      this.#running--;
    }
    check.probe?.close();
    check.probe = null;
    this.#startNext();
  }
}
