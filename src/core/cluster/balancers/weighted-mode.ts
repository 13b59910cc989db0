import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { SlowStart, type SlowStartConfig } from './slow-start.ts';
import { WeightedPicker, WeightSpread } from './weighted.ts';

/** EDF for as long as a balancer needs it: while weights differ or a host is in slow start. */
export class WeightedMode {
  readonly #picker: WeightedPicker;
  readonly #spread = new WeightSpread();
  readonly #slowStart: SlowStart | null;

  constructor(
    context: { readonly random: Random; readonly clock: Clock },
    slowStart: SlowStartConfig | undefined,
    weightOf: (host: Host) => number,
  ) {
    const slow = slowStart === undefined ? null : new SlowStart(slowStart, context.clock);
    this.#slowStart = slow;
    this.#picker = new WeightedPicker(
      context.random,
      slow === null ? weightOf : (host) => weightOf(host) * slow.factor(host),
    );
  }

  get isOn(): boolean {
    return this.#spread.differ || this.#slowStart?.isActive === true;
  }

  update(set: HostSet): void {
    this.#spread.update(set);
    this.#slowStart?.update(set);
    if (this.isOn) this.#picker.update(set);
    else this.#picker.clear();
  }

  pick(s: Stream | null): Host | null {
    return this.#picker.pick(s);
  }
}
