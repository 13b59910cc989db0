import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { SlowStart, type SlowStartConfig } from './slow-start.ts';
import { FixedTurns, LiveTurns, WeightedPicker, WeightSpread } from './weighted.ts';

/** EDF for as long as a balancer needs it: while weights differ or a host is in slow start. */
export class WeightedMode {
  readonly #picker: WeightedPicker;
  readonly #spread = new WeightSpread();
  readonly #slowStart: SlowStart | null;

  /** @param weightOf null: the host's own weight, which does not change with load */
  constructor(
    context: { readonly random: Random; readonly clock: Clock },
    slowStart: SlowStartConfig | undefined,
    weightOf: ((host: Host) => number) | null,
  ) {
    const { random, clock } = context;
    const slow = slowStart === undefined ? null : new SlowStart(slowStart, clock);
    const plain = weightOf ?? ((host: Host): number => clampWeight(host.weight));
    const live = slow === null ? weightOf : (host: Host): number => plain(host) * slow.factor(host);
    this.#slowStart = slow;
    this.#picker = new WeightedPicker(
      random,
      live === null ? new FixedTurns(random) : new LiveTurns(random, live),
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
