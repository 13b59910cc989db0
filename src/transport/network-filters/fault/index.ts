import * as v from 'valibot';
import { Code } from '../../../core/base/codes.ts';
import {
  Admission,
  type ArrivingConnection,
  type NetworkFilter,
  type NetworkFilterContext,
  type NetworkFilterDefinition,
} from '../../../core/contract/network-filter.ts';
import { networkCounters } from '../count.ts';
import { FaultyWire } from './faulty-wire.ts';

const longestMs = 3_600_000;
const percent = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 100);
const milliseconds = (min: number) => v.pipe(v.number(), v.minValue(min), v.maxValue(longestMs));

const config = v.pipe(
  v.strictObject({
    /** Holds the connection back before anything is read from it. */
    delay: v.optional(v.strictObject({ fixedMs: milliseconds(1), percent })),
    /** Resets it (RST): at once, or so much later (0). */
    reset: v.optional(v.strictObject({ afterMs: v.optional(milliseconds(0), 0), percent })),
    /** Slows it down, each direction to so much. */
    bandwidth: v.optional(v.strictObject({ kibPerSecond: v.pipe(v.number(), v.minValue(1)), percent })),
    /** Connections with a delay or a slow line at once; further ones pass untouched; 0 = no limit (0). */
    maxActive: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  }),
  v.check(
    (given) => given.delay !== undefined || given.reset !== undefined || given.bandwidth !== undefined,
    'at least one of delay, reset and bandwidth',
  ),
);
export type NetworkFaultConfig = v.InferOutput<typeof config>;

/**
 * Injects faults into connections, whatever they carry: a delay, a reset, a slow line, each for a share of them.
 *
 * @example
 * networkFilters: [{ name: fault, config: { reset: { afterMs: 500, percent: 5 }, bandwidth: { kibPerSecond: 64 } } }]
 */
export const networkFault: NetworkFilterDefinition<NetworkFaultConfig> = {
  name: 'fault',
  layer: 'network',
  config,
  create: (own, context) => new NetworkFaultFilter(own, context),
};

class NetworkFaultFilter implements NetworkFilter {
  readonly #config: NetworkFaultConfig;
  readonly #context: NetworkFilterContext;
  readonly #count: (what: 'delayed' | 'reset' | 'slowed' | 'overflow') => void;
  #active = 0;

  constructor(own: NetworkFaultConfig, context: NetworkFilterContext) {
    this.#config = own;
    this.#context = context;
    this.#count = networkCounters(context, 'fault', ['delayed', 'reset', 'slowed', 'overflow']);
  }

  admit(connection: ArrivingConnection): Admission {
    const { delay, reset, bandwidth, maxActive } = this.#config;
    if (maxActive > 0 && this.#active >= maxActive) {
      this.#count('overflow');
      return Admission.pass;
    }
    const delayMs = delay !== undefined && this.#isDrawn(delay.percent) ? delay.fixedMs : 0;
    const isReset = reset !== undefined && this.#isDrawn(reset.percent);
    const kibPerSecond =
      bandwidth !== undefined && this.#isDrawn(bandwidth.percent) ? bandwidth.kibPerSecond : 0;
    const resetMs = isReset ? reset.afterMs : -1;
    if (delayMs === 0) return this.#spoil(connection, resetMs, kibPerSecond);
    this.#count('delayed');
    this.#active++;
    this.#context.clock.setTimer(delayMs, () => {
      this.#active--;
      if (this.#spoil(connection, resetMs, kibPerSecond) === Admission.pass) connection.resume();
    });
    return Admission.wait;
  }

  #spoil(connection: ArrivingConnection, resetMs: number, kibPerSecond: number): Admission {
    if (resetMs >= 0) this.#count('reset');
    if (resetMs === 0) {
      const { wire } = connection;
      if (wire.reset === undefined) wire.destroy(Code.filterClosed);
      else wire.reset(Code.filterClosed);
      return Admission.close;
    }
    if (kibPerSecond > 0) this.#count('slowed');
    if (resetMs < 0 && kibPerSecond === 0) return Admission.pass;
    connection.addLayer((wire) => {
      this.#active++;
      const faults = { bytesPerMs: (kibPerSecond * 1024) / 1000, resetMs, ended: () => void this.#active-- };
      return new FaultyWire(wire, this.#context.clock, faults);
    });
    return Admission.pass;
  }

  #isDrawn(share: number): boolean {
    return share >= 100 || (share > 0 && this.#context.random.next() * 100 < share);
  }
}
