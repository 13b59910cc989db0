import type { MeshConfig } from '../../core/config/input.ts';
import type { LogLevel } from '../../core/contract/logger.ts';
import type { MetricsSnapshot } from '../../core/contract/metrics.ts';
import type { SocketPlace } from '../../transport/supervisor/messages.ts';

/** What all workers run. */
export interface SharedConfig {
  /** Each worker's share of it, with its secrets. */
  readonly config: MeshConfig;
  readonly places: readonly SocketPlace[];
}

/** What a worker process is told first. */
export interface WorkerSetup {
  readonly shared: SharedConfig;
  /** 1 to `workers`. */
  readonly worker: number;
  readonly workers: number;
  readonly logLevel: LogLevel;
}

/** A request to the admin endpoint, for one worker's part of the answer. */
export interface AdminCall {
  readonly path: string;
  readonly isWrite: boolean;
  readonly query: string;
  readonly body: string;
}

/** What the admin endpoint of a worker would list. */
export interface SectionFacts {
  readonly path: string;
  readonly summary: string;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** What a worker has counted. */
export interface CountedMetrics {
  readonly snapshot: MetricsSnapshot;
  /** What it took to put together, on the worker's loop. */
  readonly tookMs: number;
}

/** The functions of a worker process. */
export interface WorkerCalls {
  /** Rejects with the reason when the mesh cannot start. */
  start(setup: WorkerSetup): Promise<void>;
  /** Makes all ready for another configuration. @returns why it cannot be taken over, "" when it can */
  prepare(next: SharedConfig): Promise<string>;
  /** Takes over what was prepared. */
  commit(logLevel: LogLevel): Promise<void>;
  abandon(): Promise<void>;
  /** Answers at once: its loop turns. */
  ping(): void;
  metrics(): CountedMetrics | null;
  sections(): readonly SectionFacts[];
  admin(call: AdminCall): unknown;
  logLevel(level: LogLevel): void;
  reopenLogs(): void;
  /** @returns the last metrics; the process has nothing to do then */
  drain(deadlineMs: number): Promise<CountedMetrics | null>;
}
