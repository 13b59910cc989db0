import type { CaptureTrigger } from '../../core/contract/sink.ts';
import { formatValue } from '../signals/format.ts';
import type { HeapTrend } from './heap-trend.ts';
import type { Cause, CauseName, ProfileSummary, TopFrame, Waiting } from './verdict-types.ts';

/** Everything that a cause is concluded from. */
export interface Evidence {
  readonly trigger: CaptureTrigger;
  readonly profiles: readonly ProfileSummary[];
  /** CPU time of the trouble: recorder and capture together. */
  readonly cpu: ProfileSummary | undefined;
  /** The source line that executes most; V8 charges native calls (JSON, regular expressions) to it. */
  readonly hotLine: string;
  /** Where that line stands, `/path/file.ts:12`; '' when not known. */
  readonly hotPlace: string;
  /** How long the loop stood still; undefined when it was no stall. */
  readonly stall: StallFacts | undefined;
  /** CPU of the main thread during a stall over its length; NaN when not known. */
  readonly stallCpuShare: number;
  readonly latest: Readonly<Record<string, number>>;
  readonly earlier: Readonly<Record<string, number>>;
  readonly heapTrend: HeapTrend;
  /** Pending work by type in brackets, e.g. `PROMISE`, and by creator. */
  readonly pendingTypes: readonly TopFrame[];
  readonly pendingCreators: readonly TopFrame[];
  readonly waiting: readonly Waiting[];
}

/** A stall as far as it was seen. */
export interface StallFacts {
  /** When the loop turned the last time, milliseconds since the epoch. */
  readonly startMs: number;
  /** Until it turned again, or until the capture ended. */
  readonly lastedMs: number;
  readonly isOver: boolean;
}

/** Looks for one sort of cause; undefined when the evidence is not of that sort. */
export type Finder = (evidence: Evidence) => Cause | undefined;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
export const megabytes = (bytes: number): string => formatValue(bytes, 'bytes');
/** A function and its place for a sentence. */
export const at = (frame: TopFrame): string =>
  frame.place === '' ? frame.name : `${frame.name} (${frame.place})`;

/** `client GET api:80 /x` in words. */
export const inWords = (what: string): string =>
  what.replace(/^client /, 'call sent: ').replace(/^server /, 'request received: ');

/** The summary of a kind: of the main thread and the trouble itself where there is one. */
export function summary(evidence: Evidence, kind: string, valueType?: string): ProfileSummary | undefined {
  const fits = (profile: ProfileSummary): boolean =>
    profile.kind === kind &&
    profile.total > 0 &&
    (valueType === undefined || profile.valueType === valueType);
  const candidates = evidence.profiles.filter(fits);
  return candidates.find((profile) => profile.window === 'during' && profile.threadId === 0) ?? candidates[0];
}

/** A function of this share can be spoken of, where what has more has no place in the source (V8's own, native). */
const enoughShare = 0.2;

/** The function that a profile of memory points to. */
export function leading(profile: ProfileSummary | undefined): TopFrame | undefined {
  const placed = profile?.functions.find(({ place }) => place !== '');
  return placed !== undefined && placed.share >= enoughShare ? placed : profile?.functions[0];
}

export const cause = (
  name: CauseName,
  text: string,
  guilty: TopFrame | undefined,
  evidence: readonly string[],
  advice: string,
  confidence: Cause['confidence'] = 'high',
): Cause => ({
  name,
  text,
  confidence: guilty === undefined ? 'medium' : confidence,
  guilty,
  evidence,
  advice,
});
