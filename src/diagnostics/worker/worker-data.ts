import type { MessagePort } from 'node:worker_threads';
import type { BackendInUse, ControlSocket, MonitorEvent } from '../contract.ts';
import type { MonitorSettings } from '../options.ts';

/** What the worker gets when it starts. */
export interface MonitorWorkerData {
  readonly heddleMonitor: true;
  readonly id: string;
  readonly settings: MonitorSettings;
  readonly shared: SharedArrayBuffer;
  /** Hook reports come in here. */
  readonly hooksPort: MessagePort;
  readonly oldSpaceBytes: number;
  /** Somebody listens to events: only then is the application's thread woken for each sample. */
  readonly wantsSamples: boolean;
  readonly backend: BackendInUse;
}

/** Calls from the application's thread; `method` is one of `MonitorControl`. */
export interface ControlCall {
  readonly type: 'call';
  readonly id: number;
  readonly method: 'status' | 'signals' | 'capture' | 'captures' | 'setRules' | 'pause' | 'resume' | 'stop';
  readonly argument?: unknown;
}

/** From the application's thread: other processes shall be able to reach this monitor. */
export interface ControlOffer {
  readonly type: 'offer';
  readonly control: ControlSocket;
}

export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  /** Another process asked for the end of the monitor. */
  | { readonly type: 'stopRequested' }
  | { readonly type: 'event'; readonly event: MonitorEvent }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly code: string; readonly message: string };
