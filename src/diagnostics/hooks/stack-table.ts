import { ProfileBuilder, syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile, ProfileFrame, SampleType } from '../profile-model.ts';
import { sharedNow } from './heartbeat.ts';

interface Entry<Extra> {
  readonly frames: readonly ProfileFrame[];
  readonly values: readonly number[];
  readonly label: string;
  readonly extra: Extra;
}

export interface StackProfileHead {
  readonly kind: string;
  readonly sampleTypes: readonly SampleType[];
  readonly period: number;
  readonly startMs: number;
}

/** A bounded list of weighted stacks that becomes a profile: the oldest entries go first. */
export class StackTable<Extra> {
  #entries: Entry<Extra>[] = [];
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  add(frames: readonly ProfileFrame[], values: readonly number[], label: string, extra: Extra): void {
    if (this.#entries.length >= this.#maxEntries) this.#entries.splice(0, this.#maxEntries >> 3);
    this.#entries.push({ frames, values, label, extra });
  }

  keep(isWanted: (extra: Extra) => boolean): void {
    this.#entries = this.#entries.filter((entry) => isWanted(entry.extra));
  }

  visit(see: (frames: readonly ProfileFrame[], weight: number, label: string) => void): void {
    for (const { frames, values, label } of this.#entries) see(frames, values[0] ?? 0, label);
  }

  /** The root frame of each stack is its label in brackets, e.g. `[Buffer.alloc]`. */
  toProfile(head: StackProfileHead): Profile {
    const builder = new ProfileBuilder(head.sampleTypes);
    for (const { frames, values, label } of this.#entries) {
      const rootFirst = [syntheticFrame(`[${label}]`), ...frames.toReversed()];
      builder.add(builder.path(rootFirst.map((frame) => builder.frame(frame))), values);
    }
    return builder.build({
      ...head,
      durationMs: sharedNow() - head.startMs,
      defaultSampleType: 0,
      ...(head.sampleTypes[0] && { periodType: head.sampleTypes[0] }),
    });
  }
}
