import { gzipSync } from 'node:zlib';
import {
  Label,
  Line,
  Location,
  Function as PprofFunction,
  Profile as PprofProfile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import type { Profile, ProfileFrame, ProfileSample, SampleType } from '../profile-model.ts';
import { displayName, pathOf } from './frame-names.ts';

/** Profile facts that pprof has no field for travel as comments with this prefix. */
export const kindComment = 'heddle.kind=';

/**
 * Writes a gzipped pprof file (google/pprof, `profile.proto`). CPU heavy: run it in the pool.
 * What `go tool pprof` insists on: string 0 is empty, ids begin at 1, every sample has one integer for each type,
 * and a location names its function.
 */
export function encodePprof(profile: Profile): Uint8Array {
  return gzipSync(new PprofWriter(profile).encode(), { level: 6 });
}

class PprofWriter {
  readonly #profile: Profile;
  readonly #strings = new StringTable();
  readonly #functions: PprofFunction[] = [];
  readonly #functionIds: number[] = [];
  readonly #locations: Location[] = [];
  readonly #locationIds = new Map<string, number>();
  /** Location of each tree node, 0 for the root. */
  readonly #nodeLocations: number[] = [0];

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  encode(): Uint8Array {
    const { sampleTypes, samples, startMs, durationMs, periodType, period, kind } = this.#profile;
    this.#addFunctions();
    this.#addLocations();
    const defaultType = sampleTypes[this.#profile.defaultSampleType]?.type ?? '';
    const comments = [`${kindComment}${kind}`, ...this.#profile.comments];
    return new PprofProfile({
      sampleType: sampleTypes.map((type) => this.#valueType(type)),
      sample: samples.map((sample) => this.#sample(sample)),
      location: this.#locations,
      function: this.#functions,
      timeNanos: BigInt(Math.round(startMs * 1000)) * 1000n,
      durationNanos: Math.round(durationMs * 1e6),
      periodType: this.#valueType(periodType),
      period: Math.round(period),
      comment: comments.map((comment) => this.#strings.dedup(comment)),
      defaultSampleType: this.#strings.dedup(defaultType),
      stringTable: this.#strings,
    }).encode();
  }

  #valueType({ type, unit }: SampleType): ValueType {
    return new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) });
  }

  #sample({ node, values, labels }: ProfileSample): Sample {
    const locationId: number[] = [];
    for (let at = node; at > 0; at = this.#profile.tree.parents[at] as number) {
      locationId.push(this.#nodeLocations[at] as number);
    }
    const entries = Object.entries({ ...this.#profile.labels, ...labels });
    const label = entries.map(([key, value]) =>
      typeof value === 'number'
        ? new Label({ key: this.#strings.dedup(key), num: Math.round(value) })
        : new Label({ key: this.#strings.dedup(key), str: this.#strings.dedup(value) }),
    );
    return new Sample({ locationId, value: values.map(Math.round), label });
  }

  #addFunctions(): void {
    const ids = new Map<string, number>();
    for (const frame of this.#profile.frames) {
      const name = displayName(frame);
      const key = `${name}\0${frame.url}\0${frame.line}`;
      const id = ids.get(key) ?? this.#functions.length + 1;
      if (!ids.has(key)) {
        ids.set(key, id);
        this.#functions.push(this.#function(id, name, frame));
      }
      this.#functionIds.push(id);
    }
  }

  #function(id: number, name: string, frame: ProfileFrame): PprofFunction {
    const nameIndex = this.#strings.dedup(name);
    const filename = this.#strings.dedup(pathOf(frame.url));
    return new PprofFunction({ id, name: nameIndex, systemName: nameIndex, filename, startLine: frame.line });
  }

  /** Columns are left out: older readers of `go tool pprof` do not know them, newer ones print them everywhere. */
  #addLocations(): void {
    const { parents, frames, lines } = this.#profile.tree;
    for (let node = 1; node < parents.length; node++) {
      const frame = frames[node] as number;
      const functionId = this.#functionIds[frame] as number;
      const line = lines[node] || (this.#profile.frames[frame] as ProfileFrame).line;
      const key = `${functionId}:${line}`;
      const known = this.#locationIds.get(key);
      const id = known ?? this.#locations.length + 1;
      if (known === undefined) {
        this.#locationIds.set(key, id);
        this.#locations.push(new Location({ id, line: [new Line({ functionId, line })] }));
      }
      this.#nodeLocations.push(id);
    }
  }
}
