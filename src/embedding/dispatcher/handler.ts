import type { Duplex } from 'node:stream';
import type { FieldList } from '../port.ts';

/** Names in lower case; repeated ones as a list. */
export type HeaderObject = Record<string, string | string[]>;

/** The caller's hold on one request, of undici 7 and later. */
export interface DispatchController {
  readonly aborted: boolean;
  readonly reason: Error | null;
  readonly paused: boolean;
  rawHeaders: Buffer[] | null;
  rawTrailers: Buffer[] | null;
  pause(): void;
  resume(): void;
  abort(reason?: Error): void;
}

/** Handlers of undici 7 and later. */
export interface ControllerHandler {
  onRequestStart(controller: DispatchController, context: unknown): void;
  onRequestUpgrade?(
    controller: DispatchController,
    statusCode: number,
    headers: HeaderObject,
    socket: Duplex,
  ): void;
  onResponseStarted?(): void;
  onResponseStart?(
    controller: DispatchController,
    statusCode: number,
    headers: HeaderObject,
    statusMessage?: string,
  ): void;
  onResponseData?(controller: DispatchController, chunk: Buffer): void;
  onResponseEnd?(controller: DispatchController, trailers: HeaderObject): void;
  onResponseError?(controller: DispatchController | null, error: Error): void;
  onBodySent?(chunk: Uint8Array): void;
  onRequestSent?(): void;
}

/** Handlers up to undici 6 (the fetch of Node 22), which 7 takes as well. */
export interface CallbackHandler {
  onConnect?(abort: (reason?: Error) => void, context?: unknown): void;
  onUpgrade?(statusCode: number, rawHeaders: Buffer[], socket: Duplex): void;
  onResponseStarted?(): void;
  onHeaders?(statusCode: number, rawHeaders: Buffer[], resume: () => void, statusText: string): unknown;
  onData?(chunk: Buffer): unknown;
  onComplete?(rawTrailers: Buffer[]): void;
  onError?(error: Error): void;
  onBodySent?(chunk: Uint8Array): void;
  onRequestSent?(): void;
}

export type DispatchHandler = ControllerHandler | CallbackHandler;

export const takesController = (handler: DispatchHandler): handler is ControllerHandler =>
  typeof (handler as Partial<ControllerHandler>).onRequestStart === 'function';

/** Fields as name, value, name, value. */
export function rawFields(fields: FieldList | null): Buffer[] {
  const raw: Buffer[] = [];
  fields?.forEach((name, value) => {
    raw.push(Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'));
  });
  return raw;
}

export function fieldObject(fields: FieldList | null): HeaderObject {
  const all: HeaderObject = {};
  fields?.forEach((name, value) => {
    const key = name.toLowerCase();
    const before = all[key];
    if (before === undefined) {
      if (key === '__proto__') Object.defineProperty(all, key, { value, enumerable: true });
      else all[key] = value;
    } else if (typeof before === 'string') all[key] = [before, value];
    else before.push(value);
  });
  return all;
}
