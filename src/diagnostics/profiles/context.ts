import type { InspectorSession } from '../../core/contract/profile-kind.ts';
import type { FlightRecorder } from '../worker/flight-recorder.ts';
import type { SiblingThread } from '../worker/sibling-threads.ts';
import type { StandingHeap } from './standing-heap.ts';

/** What the built-in profile kinds need beyond the session: all of it lives in the monitor's worker. */
export interface KindContext {
  readonly pid: number;
  /** A fresh session to the main thread; the caller disconnects it. */
  connect(): InspectorSession & { disconnect(): void };
  /** Calls a method of the hooks on the application's thread, also while that is blocked. */
  hook<Result>(method: string, argument?: unknown): Promise<Result | undefined>;
  readonly recorder: FlightRecorder | undefined;
  readonly hertz: number;
  readonly standingHeap: StandingHeap;
  /** The application's thread has a native sampler, to be reached by hooks. */
  readonly isNative: boolean;
  siblings<Result>(use: (threads: readonly SiblingThread[]) => Promise<Result>): Promise<Result>;
  /** Directory for files that are too large for memory; 0700. */
  readonly directory: string;
}
