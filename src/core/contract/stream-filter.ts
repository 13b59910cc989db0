import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { LogOutputs } from './log-output.ts';
import type { Stream } from './stream.ts';
import type { Peer } from './wire.ts';

/**
 * Verdicts are small integers and synchronous: ten filters cost 7 ns that way, 478 ns awaited, 889 ns as an onion.
 *
 *   continue         the next filter, then the next phase
 *   stop             wait for `stream.core.resume(stream, gen)`; body bytes that arrive meanwhile are held, bounded
 *   stopAndBuffer    as stop, and the whole body is collected first (bounded: 413 request, 503 response); the filter
 *                    is called again as onRequestBody(..., end = true) with all of it
 *   reply            a local answer prepared with `stream.reply(...)`
 *   matchRouteAgain  the filter changed what routes look at
 *   chooseHostAgain  the filter dislikes the host (afterHost stage only)
 *   close            ends the stream without an answer
 */
export const Verdict = {
  continue: 0,
  stop: 1,
  stopAndBuffer: 2,
  reply: 3,
  matchRouteAgain: 4,
  chooseHostAgain: 5,
  close: 6,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A Promise only where a filter truly waits; its rejection counts as a failed filter (500, fail closed). */
export type FilterResult = Verdict | Promise<Verdict>;

/**
 * One object per configured filter, shared by all its streams: per-stream state lives in
 * `stream.attributes[slot]`. A hook that is absent costs nothing: hooks are sorted into arrays when the chain is built.
 * Request hooks run in configured order, response hooks in reverse. A throw is a failed filter: 500, never skipped.
 */
export interface StreamFilter {
  onRequestHead?(s: Stream): FilterResult;
  /** `buf[a, b)` is the slice that arrived. To change the body, see `replaceBody` in docs/write-a-filter.md. */
  onRequestBody?(s: Stream, buf: Buffer, a: number, b: number, end: boolean): FilterResult;
  onRequestTrailers?(s: Stream): FilterResult;
  onResponseHead?(s: Stream): FilterResult;
  onResponseBody?(s: Stream, buf: Buffer, a: number, b: number, end: boolean): FilterResult;
  onResponseTrailers?(s: Stream): FilterResult;
  /** Exactly once for every stream whose chain ran, also after a reset; the last call. Must not throw. */
  onStreamEnd?(s: Stream): void;
  /**
   * Asked once the request has left: true when the response hooks and `onStreamEnd` have nothing to do for this stream.
   * Where all filters say so, an RPC waits for its answer without a stream. Absent: false.
   */
  passesAnswer?(s: Stream): boolean;
  /** Asked when the request leaves with its whole body: true when `onRequestBody` has nothing to do. Absent: false. */
  passesBody?(s: Stream): boolean;
  /**
   * Asked once for a stream whose request passed untouched and whose answer will: what remains to be done for further
   * calls with the very same head (names, attachments, route), whoever sends them, whenever and however large. Where all
   * filters have a plan (best one object a configuration, so that all flows share it), such calls are neither read nor routed anew, and hooks are not called (six hooks: 450 ns, six
   * plans: 40). Null or absent: each call is looked at.
   */
  planRepeat?(s: Stream): RepeatPlan | null;
}

export interface RepeatPlan {
  /** Metric slots that grow by one with each call that passes. */
  readonly counts: readonly number[];
  /**
   * Does the call pass? Asked once a call. False: nothing has happened, and `onRequestHead` decides. Null: every call
   * passes.
   */
  readonly passes: ((call: RepeatedCall) => boolean) | null;
}

/** What differs between calls with the same head. The object is used again for the next call. */
export interface RepeatedCall {
  /** A stream with that head, its metadata and route; what belongs to one call is not on it. */
  readonly stream: Stream;
  readonly peer: Peer | null;
  /** Monotonic ms. */
  readonly startMs: number;
  readonly contentBytes: number;
}

/** When a request filter runs. */
export type FilterStage = 'beforeRoute' | 'afterRoute' | 'afterHost';

export interface StreamFilterDefinition<Config = unknown> {
  readonly name: string;
  readonly stage: FilterStage;
  /** Order among filters of one stage when a preset adds it; configured chains keep the configured order. */
  readonly config: ConfigSchema<Config>;
  /** A filter that decides who may pass: it must be built or the start is refused. */
  readonly isSecurity?: boolean;
  /** pool: made by `pooledFilter`, runs in threads of its own with bounds of time and memory (loop). */
  readonly runIn?: 'loop' | 'pool';
  /** With `runIn: 'pool'`: URL of the module that runs there. */
  readonly module?: string;
  create(config: Config, context: FilterContext): StreamFilter;
}

export interface FilterContext extends ExtensionContext {
  /** Index of this filter's state in `stream.attributes` and of its per-route config in `route.filterConfigs`. */
  readonly slot: number;
  /** Listener name, for metric labels. */
  readonly owner: string;
  /** Where log lines go. */
  readonly logs: LogOutputs;
  /** Run when the mesh closes, for what a filter has opened. */
  readonly onClose?: (run: () => unknown) => void;
}
