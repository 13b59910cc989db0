import { gunzipSync } from 'node:zlib';
import { type Location, Profile as PprofProfile, type Sample } from 'pprof-format';
import { HeddleError } from '../../core/base/errors.ts';
import type { Profile, ProfileFrame, SampleType } from '../profile-model.ts';
import { kindComment } from './encode.ts';
import { ProfileBuilder, type SampleLabels, syntheticFrame } from './profile-builder.ts';

/** A profile that unpacks to more is refused: a small gzip can hold gigabytes. */
const maxUnpackedBytes = 512 * 1024 * 1024;

type Text = (index: number | bigint) => string;

/** A frame with its executing line, as indices of the builder. */
interface Step {
  readonly frame: number;
  readonly line: number;
}

/**
 * Reads a pprof file, gzipped or not, of any producer.
 * @param name shown in the error, for example the file's path.
 * @throws HeddleError ERR_PROFILE_INVALID when the bytes are no pprof.
 */
export function decodePprof(bytes: Uint8Array, name = 'the input'): Profile {
  const parsed = parse(bytes, name);
  const text: Text = (index) => parsed.stringTable.strings[Number(index)] ?? '';
  const sampleTypes = parsed.sampleType.map((value) => readType(value, text));
  if (sampleTypes.length === 0) throw new HeddleError('ERR_PROFILE_INVALID', `${name} names no sample type`);
  const builder = new ProfileBuilder(sampleTypes);
  const stepsOf = stepReader(parsed, text, builder);
  for (const sample of parsed.sample) {
    let node = 0;
    for (const id of sample.locationId.toReversed()) {
      for (const { frame, line } of stepsOf(Number(id))) node = builder.child(node, frame, line);
    }
    builder.add(
      node,
      sample.value.map(signed),
      sample.label.length === 0 ? undefined : labelsOf(sample, text),
    );
  }
  const comments = parsed.comment.map(text);
  const defaultType = sampleTypes.findIndex(({ type }) => type === text(parsed.defaultSampleType));
  return builder.build({
    kind: kindOf(comments, sampleTypes),
    startMs: Number(parsed.timeNanos) / 1e6,
    durationMs: Number(parsed.durationNanos) / 1e6,
    labels: sharedLabels(parsed.sample, text),
    period: Number(parsed.period),
    defaultSampleType: defaultType === -1 ? sampleTypes.length - 1 : defaultType,
    comments: comments.filter((comment) => !comment.startsWith(kindComment)),
    ...(parsed.periodType && { periodType: readType(parsed.periodType, text) }),
  });
}

/** The decoder gives int64 as an unsigned number, rounded once it is beyond 2^53: below zero only as a bigint. */
function signed(value: number | bigint): number {
  return Number(BigInt.asIntN(64, BigInt(value)));
}

function parse(bytes: Uint8Array, name: string): PprofProfile {
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return PprofProfile.decode(isGzip ? gunzipSync(bytes, { maxOutputLength: maxUnpackedBytes }) : bytes);
  } catch (cause) {
    throw new HeddleError('ERR_PROFILE_INVALID', `${name} is not a pprof file`, { cause });
  }
}

function readType(value: { type: number | bigint; unit: number | bigint }, text: Text): SampleType {
  return { type: text(value.type), unit: text(value.unit) };
}

/** Files of other producers say their kind only by their sample types. */
function kindOf(comments: readonly string[], sampleTypes: readonly SampleType[]): string {
  const named = comments.find((comment) => comment.startsWith(kindComment));
  if (named !== undefined) return named.slice(kindComment.length);
  const types = new Set(sampleTypes.map(({ type }) => type));
  if (types.has('inuse_space') || types.has('space')) return 'heap';
  if (types.has('alloc_space')) return 'allocations';
  if (types.has('async_resources')) return 'pending';
  if (types.has('coroutines')) return 'coroutines';
  return types.has('wall') && !types.has('cpu') ? 'wall' : 'cpu';
}

/** A location may hold several lines (inlined calls, innermost first): each is a frame. Outermost comes first here. */
function stepReader(
  parsed: PprofProfile,
  text: Text,
  builder: ProfileBuilder,
): (id: number) => readonly Step[] {
  const functions = new Map(parsed.function.map((entry) => [Number(entry.id), entry]));
  const locations = new Map(parsed.location.map((entry) => [Number(entry.id), entry]));
  const known = new Map<number, readonly Step[]>();
  const read = (location: Location | undefined): Step[] => {
    if (location === undefined) return [];
    if (location.line.length === 0) {
      return [{ frame: builder.frame(syntheticFrame(`0x${location.address.toString(16)}`)), line: 0 }];
    }
    return location.line.toReversed().map((line) => {
      const entry = functions.get(Number(line.functionId));
      const frame: ProfileFrame = {
        name: entry === undefined ? '' : text(entry.name),
        url: entry === undefined ? '' : text(entry.filename),
        line: Number(entry?.startLine ?? 0) || Number(line.line),
        column: 0,
      };
      return { frame: builder.frame(frame), line: Number(line.line) };
    });
  };
  return (id) => {
    const seen = known.get(id) ?? read(locations.get(id));
    known.set(id, seen);
    return seen;
  };
}

/** What every sample says is said of the profile: who made it, of which thread. */
function sharedLabels(samples: readonly Sample[], text: Text): Record<string, string> {
  const [first, ...others] = samples;
  if (first === undefined) return {};
  const shared = new Map(
    Object.entries(labelsOf(first, text)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
  for (const sample of others) {
    if (shared.size === 0) break;
    const labels = labelsOf(sample, text);
    for (const [key, value] of shared) if (labels[key] !== value) shared.delete(key);
  }
  return Object.fromEntries(shared);
}

function labelsOf(sample: Sample, text: Text): SampleLabels {
  const entries = sample.label.map((label): [string, string | number] => [
    text(label.key),
    Number(label.str) === 0 ? Number(label.num) : text(label.str),
  ]);
  return Object.fromEntries(entries);
}
