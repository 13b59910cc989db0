/**
 * What the parts of the monitor know of each other beyond the core contracts.
 *
 *   application thread                      monitor (worker thread)                    piscina job
 *   createMonitor --Worker--> monitor.worker: signals -> rules -> capture --artifacts--> encode, symbolise,
 *   MainHooks <--Runtime.evaluate (works while blocked)--                               snapshot, diff, verdict
 *                              ^
 *                 MonitorControl: MessagePort of createMonitor, or the unix socket of `attach/`
 *
 * Functions that `pprof/` and `snapshot/` provide and the capture job calls (all pure, all off the application's loop):
 *   pprof/index.ts     fromCpuProfile(raw, meta): Profile        raw is V8's Profiler.Profile
 *                      fromHeapProfile(raw, meta): Profile       raw is V8's SamplingHeapProfile
 *                      symbolise(profile): Promise<Profile>      source maps from disk or inline
 *                      encodePprof(profile): Uint8Array          gzip included
 *                      decodePprof(bytes): Profile
 *                      toFolded(profile): string
 *                      encodeOtlp(profiles, resource): Uint8Array
 *                      diffProfiles(base, profile): Profile
 *   snapshot/index.ts  coroutinesOf(snapshotPath): Promise<Profile>
 *   profiles/pending.ts  startPending(options): PendingTracker   on the application's thread
 */
import type { ProfileRequest } from '../core/contract/profile-kind.ts';
import type { SignalSample } from '../core/contract/signal.ts';
import type { Capture } from '../core/contract/sink.ts';
import type { Profile } from './profile-model.ts';

/** What V8's own formats do not say; becomes `startMs`, `durationMs`, `labels` and `comments` of the model. */
export interface ProfileMeta {
  readonly kind: string;
  readonly startMs: number;
  readonly durationMs?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly comments?: readonly string[];
}

export interface PendingOptions {
  /** One of so many new promises gets a stack; adapted to `maxSamplesPerSecond`. Other resources begin with each. @default 50 */
  readonly sampleEvery?: number;
  /** Half of them for promises, half for the rest. @default 200 */
  readonly maxSamplesPerSecond?: number;
  /** Live samples kept; above it every second one goes and the others count double. @default 4096 */
  readonly maxLive?: number;
  /** @default 24 */
  readonly stackDepth?: number;
  /** Duty cycle: tracking is on for `windowMs` in each `everyMs` and samples count that much more. @default 0: always on */
  readonly everyMs?: number;
  /** @default 1000 */
  readonly windowMs?: number;
}

/** Sampled pending async work by type and creation stack. Lives on the application's thread; costs only while it runs. */
export interface PendingTracker {
  /** Estimated live resources right now: cheap, no stacks. */
  count(): number;
  /** The pending work as a profile of kind `pending`: `async_resources/count`, `age/nanoseconds`. */
  dump(): Profile;
  stop(): void;
}

export interface RuleState {
  readonly name: string;
  readonly enabled: boolean;
  readonly signal: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly firedCount: number;
  /** Why it would not fire now: `warming up`, `cooling down`, `paused`, `bounded`, or empty. */
  readonly held: string;
}

export interface BackendInUse {
  readonly name: 'inspector' | 'datadog' | 'pprof';
  /** Why another than the one asked for is used; '' when it is that one. */
  readonly note: string;
}

export interface MonitorStatus {
  readonly pid: number;
  readonly service: string;
  readonly nodeVersion: string;
  readonly startedMs: number;
  readonly paused: boolean;
  readonly directory: string;
  /** What takes CPU and heap profiles of the main thread. */
  readonly backend: BackendInUse;
  readonly rules: readonly RuleState[];
  readonly latest: SignalSample | undefined;
  readonly capturing: string | undefined;
  /** capturesTaken, capturesHeld, sinkDropped, sinkFailed, storeFailed, tickOverruns, ... */
  readonly counters: Readonly<Record<string, number>>;
}

/** `capture` was written; `fired` says that a rule fired and what came of it; `problem` is the monitor's own trouble. */
export type MonitorEvent =
  | {
      readonly type: 'sample';
      readonly sample: SignalSample;
      /** A look between two ticks, while the loop stands still or the heap is more than half full. */
      readonly urgent?: true;
    }
  | {
      readonly type: 'fired';
      readonly atMs: number;
      readonly rule: string;
      readonly reason: string;
      readonly outcome: string;
    }
  | { readonly type: 'capture'; readonly capture: Capture }
  | { readonly type: 'problem'; readonly atMs: number; readonly message: string };

export interface ManualCapture extends Partial<ProfileRequest> {
  /** Names of profile kinds, e.g. `cpu`, `heap`, `pending`, `stack`, `gc`, `report`, `coroutines`, `snapshot`. */
  readonly kinds: readonly string[];
  readonly reason?: string;
  /** 0 is the main thread; absent means all. */
  readonly threadId?: number;
  /**
   * Whoever asks takes it away: the files go to `pulled` below the directory, which keeps the newest twelve, no sink is
   * told and `captures()` does not list it. For pullers, who would push the evidence of rules out of the directory.
   */
  readonly transient?: boolean;
}

/** Everything that can be asked of a running monitor; the same over a MessagePort and over the unix socket. */
export interface MonitorControl {
  status(): MonitorStatus;
  /** Samples kept in the ring, oldest first. */
  signals(): readonly SignalSample[];
  capture(request: ManualCapture): Promise<Capture>;
  captures(): readonly Capture[];
  /** Replaces the rules at once; rejects with ERR_MONITOR_RULES and keeps the old ones where they are wrong. */
  setRules(rules: unknown): Promise<void>;
  pause(): void;
  resume(): void;
  /** Returns the function that stops listening. */
  onEvent(listener: (event: MonitorEvent) => void): () => void;
  /** Stops the monitor and leaves nothing behind in the application. */
  stop(): Promise<void>;
}

/**
 * How the worker offers its control to other processes; `attach/control.ts` exports
 * `openControl(control: MonitorControl, options: ControlSocket): Promise<{ close(): Promise<void> }>`.
 */
export interface ControlSocket {
  /** Listen on this unix socket (created 0600, removed at close). */
  readonly listen?: string;
  /** Dial this unix socket of a daemon and keep trying, 1 s to 30 s apart. */
  readonly dial?: string;
}
