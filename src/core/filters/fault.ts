import * as v from 'valibot';
import type { Timer } from '../base/clock.ts';
import { HeddleError } from '../base/errors.ts';
import { headerMatch } from '../config/schema/route-match.ts';
import type { Stream } from '../contract/stream.ts';
import {
  type FilterContext,
  type RepeatPlan,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../contract/stream-filter.ts';
import { countOne, filterCounter } from './count.ts';
import { FaultRule } from './fault-rule.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const percent = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 100);
/** True takes the value from request headers, see docs/write-a-filter.md; `percent` stays the upper bound. */
const byHeader = v.optional(v.boolean(), false);

const config = v.strictObject({
  delay: v.optional(
    v.strictObject({
      fixedMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(3_600_000))),
      byHeader,
      percent,
    }),
  ),
  abort: v.optional(
    v.strictObject({
      status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
      byHeader,
      percent,
    }),
  ),
  /** Slows response bodies down. */
  rateLimit: v.optional(
    v.strictObject({ kibPerSecond: v.optional(v.pipe(v.number(), v.minValue(1))), byHeader, percent }),
  ),
  /** Only requests whose route goes to this cluster, as its one target (all). */
  cluster: v.optional(v.string()),
  /** Only requests for which all of these hold (all). */
  headers: v.optional(v.array(headerMatch), []),
  /** Streams with a fault at once; further ones pass untouched; 0 = no limit (0). */
  maxActive: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});
export type FaultConfig = v.InferOutput<typeof config>;

/** What a stream with a fault needs until its end. */
interface ActiveFault {
  timer: Timer | null;
  readonly bytesPerMs: number;
  /** When the bytes sent so far are paid for, monotonic ms. */
  paidUntilMs: number;
}

/** Waits shorter than this are saved up: a timer is no finer. */
const leastWaitMs = 5;

/**
 * Injects faults as Envoy does: a delay, then an abort, or a slow response body, for a share of the requests. The log
 * shows them as flags DI and FI. Place it first in the chain.
 * With `byHeader` a caller chooses: `x-heddle-fault-delay-request` (ms), `x-heddle-fault-abort-request` (status),
 * `x-heddle-fault-throughput-response` (KiB/s), each with `-percentage`; Envoy's `x-envoy-fault-*` likewise.
 * Routes can slow bodies down only where the filter's own configuration has `rateLimit` (percent 0 will do).
 *
 * @example
 * filters: [{ name: fault, config: { delay: { fixedMs: 500, percent: 10 }, abort: { status: 503, percent: 0.5 } } }]
 */
export const fault: StreamFilterDefinition<FaultConfig> = {
  name: 'fault',
  stage: 'afterRoute',
  config,
  create(own, context) {
    const filter = new FaultFilter(own, context);
    const hooks: StreamFilter = {
      onRequestHead: (s) => filter.onRequestHead(s),
      onStreamEnd: (s) => filter.onStreamEnd(s),
      passesAnswer: (s) => s.attributes[context.slot] === undefined,
      planRepeat: (s) => filter.planRepeat(s),
    };
    // A body hook makes the core hand every body through it: only where it can be needed.
    if (own.rateLimit !== undefined)
      hooks.onResponseBody = (s, _buf, a, b) => filter.onResponseBody(s, b - a);
    return shapeHooks(hooks);
  },
};

class FaultFilter {
  readonly #context: FilterContext;
  readonly #configs: RouteConfigs<FaultConfig, FaultRule>;
  readonly #counters: Readonly<Record<'checked' | 'delayed' | 'aborted' | 'slowed' | 'overflow', number>>;
  readonly #activeSlot: number;
  readonly #idlePlan: RepeatPlan;
  #active = 0;

  constructor(own: FaultConfig, context: FilterContext) {
    this.#context = context;
    this.#configs = new RouteConfigs(context.slot, own, (each: FaultConfig) => {
      if (each.rateLimit !== undefined && own.rateLimit === undefined) {
        throw new HeddleError(
          'ERR_CONFIG_INVALID',
          'a route has fault.rateLimit, the filter itself has none',
        );
      }
      return new FaultRule(each);
    });
    const counter = (what: string): number => filterCounter(context, 'fault', what);
    this.#counters = {
      checked: counter('checked'),
      delayed: counter('delayed'),
      aborted: counter('aborted'),
      slowed: counter('slowed'),
      overflow: counter('overflow'),
    };
    this.#idlePlan = { counts: [this.#counters.checked], passes: null };
    this.#activeSlot = context.metrics.gauge('heddle_filter_fault_active', { listener: context.owner });
  }

  onRequestHead(s: Stream): Verdict {
    const rule = this.#configs.of(s);
    if (rule === null || !rule.appliesTo(s)) return Verdict.continue;
    const { random, metrics } = this.#context;
    countOne(metrics, this.#counters.checked);
    const delayMs = rule.delayMs(s, random);
    const status = rule.abortStatus(s, random);
    const bytesPerMs = rule.bytesPerMs(s, random);
    if (delayMs === 0 && status === 0 && bytesPerMs === 0) return Verdict.continue;
    if (rule.maxActive > 0 && this.#active >= rule.maxActive) {
      countOne(metrics, this.#counters.overflow);
      return Verdict.continue;
    }
    this.#setActive(1);
    const active: ActiveFault = { timer: null, bytesPerMs, paidUntilMs: 0 };
    s.attributes[this.#context.slot] = active;
    if (bytesPerMs > 0) countOne(metrics, this.#counters.slowed);
    if (delayMs > 0) return this.#delay(s, active, delayMs, status);
    if (status === 0) return Verdict.continue;
    this.#markAborted(s);
    return s.reply(status, 'fault_abort\n', {
      'content-type': 'text/plain',
      'x-heddle-error': 'fault_abort',
    });
  }

  /** Only where nothing is ever drawn. */
  planRepeat(s: Stream): RepeatPlan | null {
    const rule = this.#configs.of(s);
    if (rule === null || !rule.appliesTo(s)) return noPlan;
    return rule.isIdle ? this.#idlePlan : null;
  }

  onResponseBody(s: Stream, sizeBytes: number): Verdict {
    const active = s.attributes[this.#context.slot] as ActiveFault | undefined;
    if (active === undefined || active.bytesPerMs === 0) return Verdict.continue;
    const now = this.#context.clock.now();
    active.paidUntilMs = Math.max(now, active.paidUntilMs) + sizeBytes / active.bytesPerMs;
    const waitMs = active.paidUntilMs - now;
    if (waitMs < leastWaitMs) return Verdict.continue;
    this.#wait(s, active, waitMs, () => s.core.resume(s, s.gen));
    return Verdict.stop;
  }

  onStreamEnd(s: Stream): void {
    const active = s.attributes[this.#context.slot] as ActiveFault | undefined;
    if (active === undefined) return;
    active.timer?.cancel();
    s.attributes[this.#context.slot] = undefined;
    this.#setActive(-1);
  }

  #delay(s: Stream, active: ActiveFault, delayMs: number, status: number): Verdict {
    countOne(this.#context.metrics, this.#counters.delayed);
    s.addFlag('DI');
    this.#wait(s, active, delayMs, () => {
      if (status === 0) {
        s.core.resume(s, s.gen);
        return;
      }
      this.#markAborted(s);
      s.core.reply(s, status, 'fault_abort\n');
    });
    return Verdict.stop;
  }

  /** One closure per fault, none per request. */
  #wait(s: Stream, active: ActiveFault, waitMs: number, then: () => void): void {
    const gen = s.gen;
    active.timer = this.#context.clock.setTimer(waitMs, () => {
      active.timer = null;
      if (s.gen === gen) then();
    });
  }

  #markAborted(s: Stream): void {
    s.addFlag('FI');
    countOne(this.#context.metrics, this.#counters.aborted);
  }

  #setActive(change: 1 | -1): void {
    this.#active += change;
    this.#context.metrics.values[this.#activeSlot] = this.#active;
  }
}
