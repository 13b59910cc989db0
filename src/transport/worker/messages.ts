import type { MessagePort } from 'node:worker_threads';
import type { LogFields, LogLevel } from '../../core/contract/logger.ts';
import type { BellEnd } from './doorbell.ts';
import type { PackedError } from './errors.ts';
import type { Mailboxes } from './link.ts';

/** What a worker of a mesh gets when it starts: plain data and its ends of the two ports. */
export interface MeshWorkerData {
  readonly heddleMesh: true;
  /** Packed by `packValues`. */
  readonly config: unknown;
  /** Modules with extensions. */
  readonly modules: readonly string[];
  readonly tracksStreams: boolean;
  readonly logLevel: LogLevel;
  /** Streams and control. */
  readonly port: MessagePort;
  /** The monitor's question, which is answered while the application's thread waits. */
  readonly questions: MessagePort;
  /** Counts up while the worker's loop turns; the second word is notified when a question is answered, the third says that its end of the bell is its own, the fourth that the program has an OpenTelemetry provider. */
  readonly shared: SharedArrayBuffer;
  /** For quick batches, beside the port. */
  readonly mailboxes: Mailboxes;
  /** For the pipes of the bell. */
  readonly bellDirectory: string;
}

/** Words of `MeshWorkerData.shared`. */
export const SharedWord = { beats: 0, answers: 1, hasBell: 2, hasProvider: 3 } as const;
/** The worker counts that often. */
export const beatMs = 250;

/** A request head of a listener, as far as a span tells of it. */
export interface SpanRequest {
  readonly protocol: string;
  /** Of HTTP/1. */
  readonly minor: number;
  readonly peer: string | null;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fields of a head that are set, or removed. */
export type ChangedFields = readonly (readonly [name: string, value: string | null])[];

export interface LogLine {
  readonly level: Exclude<LogLevel, 'off'>;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** What the worker says without being asked. */
export type WorkerNotice =
  | { readonly type: 'ready'; readonly config: unknown; readonly addresses: Readonly<Record<string, string>> }
  | { readonly type: 'refused'; readonly error: PackedError }
  /** A stream of a listener wants a span. */
  | { readonly type: 'span'; readonly id: number; readonly request: SpanRequest }
  /** A reload is ready: does the program approve of it? */
  | { readonly type: 'approve'; readonly id: number }
  | { readonly type: 'log'; readonly lines: readonly LogLine[]; readonly dropped: number }
  /** The pipes of the bell are there. */
  | { readonly type: 'pipes' };

/** What the application says without waiting for an answer. */
export type AppNotice =
  | { readonly type: 'serve'; readonly cluster: string; readonly key: number }
  | { readonly type: 'span'; readonly id: number; readonly fields: ChangedFields | null }
  | { readonly type: 'approval'; readonly id: number; readonly applies: boolean }
  | { readonly type: 'logLevel'; readonly level: LogLevel }
  /** The application listens to the bell; the worker's end of it. */
  | { readonly type: 'bell'; readonly end: BellEnd };
