import { randomBytes } from 'node:crypto';
import type { Profile, ProfileFrame, ProfileSample, SampleType } from '../profile-model.ts';
import { displayName, pathOf } from './frame-names.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Attributes of the process that was profiled, in OpenTelemetry's words (`service.name`, `process.pid`). */
export type OtlpResource = Readonly<Record<string, string | number>>;

/**
 * OTLP profiles (opentelemetry.proto.profiles.v1development, status Alpha), body of POST /v1development/profiles.
 * An OTLP profile has one sample type, so a profile of k types becomes k profiles over one dictionary. Index 0 of
 * every table is its zero value.
 */
export function encodeOtlp(profiles: readonly Profile[], resource: OtlpResource): Uint8Array {
  const dictionary = new OtlpDictionary();
  const encoded = profiles.flatMap((profile) => oneByType(profile, dictionary));
  return new ProtobufWriter()
    .message(1, (resourceProfiles) => {
      resourceProfiles
        .message(1, (out) => {
          for (const [key, value] of Object.entries(resource))
            out.message(1, (pair) => writePair(pair, key, value));
        })
        .message(2, (scope) => {
          scope.message(1, (out) => out.text(1, 'heddle'));
          for (const profile of encoded) scope.message(2, (out) => writeProfile(out, profile));
        });
    })
    .message(2, (out) => dictionary.write(out))
    .finish();
}

/** The same as JSON (proto3 JSON mapping: 64-bit numbers as strings, ids in hex as OTLP asks). */
export function toOtlpJson(profiles: readonly Profile[], resource: OtlpResource): object {
  const dictionary = new OtlpDictionary();
  const encoded = profiles.flatMap((profile) => oneByType(profile, dictionary));
  const attributes = Object.entries(resource).map(([key, value]) => ({ key, value: jsonValue(value) }));
  return {
    resourceProfiles: [
      {
        resource: { attributes },
        scopeProfiles: [{ scope: { name: 'heddle' }, profiles: encoded.map(jsonProfile) }],
      },
    ],
    dictionary: dictionary.toJson(),
  };
}

interface OtlpValueType {
  readonly type: number;
  readonly unit: number;
}

interface OtlpSample {
  readonly stack: number;
  readonly attributes: readonly number[];
  readonly value: number;
}

interface OtlpProfile {
  readonly sampleType: OtlpValueType;
  readonly periodType: OtlpValueType;
  readonly period: number;
  readonly timeNanos: bigint;
  readonly durationNanos: bigint;
  readonly id: Uint8Array;
  readonly samples: readonly OtlpSample[];
}

function oneByType(profile: Profile, dictionary: OtlpDictionary): OtlpProfile[] {
  const stacks = dictionary.stacksOf(profile);
  return profile.sampleTypes.map((type, column) => ({
    sampleType: dictionary.valueType(type),
    periodType: dictionary.valueType(profile.periodType),
    period: Math.round(profile.period),
    timeNanos: BigInt(Math.round(profile.startMs * 1000)) * 1000n,
    durationNanos: BigInt(Math.round(profile.durationMs * 1e6)),
    id: randomBytes(16),
    samples: profile.samples.flatMap((sample): OtlpSample[] => {
      const value = Math.round(sample.values[column] ?? 0);
      if (value === 0) return [];
      return [{ stack: stacks(sample), attributes: dictionary.attributesOf(profile, sample), value }];
    }),
  }));
}

function writeProfile(out: ProtobufWriter, profile: OtlpProfile): void {
  const writeType =
    ({ type, unit }: OtlpValueType) =>
    (writer: ProtobufWriter) =>
      void writer.varint(1, type).varint(2, unit);
  out.message(1, writeType(profile.sampleType));
  for (const { stack, attributes, value } of profile.samples) {
    out.message(2, (sample) => void sample.varint(1, stack).packed(2, attributes).packed(4, [value]));
  }
  out
    .fixed64(3, profile.timeNanos)
    .varint(4, profile.durationNanos)
    .message(5, writeType(profile.periodType))
    .varint(6, profile.period)
    .bytes(7, profile.id);
}

function jsonProfile(profile: OtlpProfile): object {
  const typeOf = ({ type, unit }: OtlpValueType): object => ({ typeStrindex: type, unitStrindex: unit });
  return {
    sampleType: typeOf(profile.sampleType),
    samples: profile.samples.map(({ stack, attributes, value }) => ({
      stackIndex: stack,
      attributeIndices: attributes,
      values: [String(value)],
    })),
    timeUnixNano: String(profile.timeNanos),
    durationNano: String(profile.durationNanos),
    periodType: typeOf(profile.periodType),
    period: String(profile.period),
    profileId: Buffer.from(profile.id).toString('hex'),
  };
}

function writePair(out: ProtobufWriter, key: string, value: string | number): void {
  out.text(1, key).message(2, (any) => writeAny(any, value));
}

/** AnyValue: string_value 1, int_value 3, double_value 4. A oneof member of value 0 must still be written. */
function writeAny(out: ProtobufWriter, value: string | number): void {
  if (typeof value === 'string') out.text(1, value);
  else if (Number.isSafeInteger(value) && value !== 0) out.varint(3, value);
  else out.double(4, value);
}

function jsonValue(value: string | number): object {
  if (typeof value === 'string') return { stringValue: value };
  return Number.isSafeInteger(value) && value !== 0 ? { intValue: String(value) } : { doubleValue: value };
}

/** The tables that all profiles of one message share. */
class OtlpDictionary {
  readonly #strings = new Table<string>('');
  readonly #functions = new Table<{ name: number; file: number; line: number }>({
    name: 0,
    file: 0,
    line: 0,
  });
  readonly #locations = new Table<{ function: number; line: number }>({ function: 0, line: 0 });
  readonly #stacks = new Table<readonly number[]>([]);
  readonly #attributes = new Table<{ key: number; value: string | number }>({ key: 0, value: '' });

  valueType({ type, unit }: SampleType): OtlpValueType {
    return { type: this.#strings.add(type), unit: this.#strings.add(unit) };
  }

  /** @returns the stack index of a sample; each tree node is resolved once. */
  stacksOf(profile: Profile): (sample: ProfileSample) => number {
    const { parents, frames, lines } = profile.tree;
    const locations = parents.map((_, node) => {
      const frame = profile.frames[frames[node] as number];
      return frame === undefined ? 0 : this.#location(frame, lines[node] ?? 0);
    });
    return ({ node }) => {
      const stack: number[] = [];
      for (let at = node; at > 0; at = parents[at] as number) stack.push(locations[at] as number);
      return this.#stacks.add(stack);
    };
  }

  attributesOf(profile: Profile, sample: ProfileSample): number[] {
    const entries = Object.entries({ ...profile.labels, ...sample.labels });
    return entries.map(([key, value]) => this.#attributes.add({ key: this.#strings.add(key), value }));
  }

  write(out: ProtobufWriter): void {
    out.message(1, () => {});
    for (const { function: index, line } of this.#locations.rows) {
      out.message(2, (location) => {
        if (index !== 0) location.message(3, (entry) => void entry.varint(1, index).varint(2, line));
      });
    }
    for (const { name, file, line } of this.#functions.rows) {
      out.message(3, (entry) => void entry.varint(1, name).varint(2, name).varint(3, file).varint(4, line));
    }
    out.message(4, () => {});
    for (const text of this.#strings.rows) out.text(5, text);
    for (const [index, { key, value }] of this.#attributes.rows.entries()) {
      out.message(6, (entry) => {
        if (index > 0) entry.varint(1, key).message(2, (any) => writeAny(any, value));
      });
    }
    for (const stack of this.#stacks.rows) out.message(7, (entry) => void entry.packed(1, stack));
  }

  toJson(): object {
    return {
      mappingTable: [{}],
      locationTable: this.#locations.rows.map(({ function: index, line }) =>
        index === 0 ? {} : { lines: [{ functionIndex: index, line: String(line) }] },
      ),
      functionTable: this.#functions.rows.map(({ name, file, line }) => ({
        nameStrindex: name,
        systemNameStrindex: name,
        filenameStrindex: file,
        startLine: String(line),
      })),
      linkTable: [{}],
      stringTable: this.#strings.rows,
      attributeTable: this.#attributes.rows.map(({ key, value }, index) =>
        index === 0 ? {} : { keyStrindex: key, value: jsonValue(value) },
      ),
      stackTable: this.#stacks.rows.map((stack) => ({ locationIndices: stack })),
    };
  }

  #location(frame: ProfileFrame, line: number): number {
    const name = this.#strings.add(displayName(frame));
    const file = this.#strings.add(pathOf(frame.url));
    const index = this.#functions.add({ name, file, line: frame.line });
    return this.#locations.add({ function: index, line: line || frame.line });
  }
}

/** Rows without repetition; row 0 is the zero value. */
class Table<Row> {
  readonly rows: Row[];
  readonly #index = new Map<string, number>();

  constructor(zero: Row) {
    this.rows = [zero];
    this.#index.set(JSON.stringify(zero), 0);
  }

  add(row: Row): number {
    const key = JSON.stringify(row);
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    const index = this.rows.push(row) - 1;
    this.#index.set(key, index);
    return index;
  }
}
