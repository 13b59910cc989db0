import type { Duplex } from 'node:stream';
import type { MeshPort } from '../port.ts';
import { CallController } from './controller.ts';
import { type DispatcherLike, MeshDispatcher } from './dispatcher.ts';
import {
  type CallbackHandler,
  type ControllerHandler,
  type DispatchHandler,
  fieldObject,
  takesController,
} from './handler.ts';
import type { DispatchOptions } from './options.ts';
import { whenDispatcherNeeded } from './when-needed.ts';

/** Where undici keeps its global dispatcher: fetch of Node 22 to 26 and undici up to 7, and undici from 8 on. */
const first = Symbol.for('undici.globalDispatcher.1');
const second = Symbol.for('undici.globalDispatcher.2');
const belowOf = Symbol.for('heddle.below');

type Globals = Record<symbol, (DispatcherLike & { readonly [belowOf]?: DispatcherLike }) | undefined>;
const globals = globalThis as unknown as Globals;

/**
 * What takes the calls that are none of the mesh's: the global dispatcher, below any that a mesh has put over it. Loads
 * Node's own fetch when nothing has set one yet (10 to 30 ms of CPU, once).
 */
export function globalDispatcher(): DispatcherLike | null {
  // A lazy global: touching it loads undici, which sets its dispatcher.
  if (globals[first] === undefined && globals[second] === undefined) void globalThis.Response;
  let found = globals[first] ?? globals[second];
  while (found?.[belowOf] !== undefined) found = found[belowOf];
  return found ?? null;
}

/**
 * Puts the mesh over the global dispatchers of both generations, so that `fetch` and undici's functions go through it.
 * Whoever sets another global dispatcher afterwards has chosen it: that one is used, without the mesh.
 *
 * @returns takes it back
 */
export function installDispatcher(port: MeshPort): () => void {
  if (globals[first] !== undefined || globals[second] !== undefined) return installNow(port);
  let undo = (): void => {};
  const forget = whenDispatcherNeeded([first, second], () => {
    undo = installNow(port);
  });
  return () => {
    forget();
    undo();
  };
}

function installNow(port: MeshPort): () => void {
  if (globals[first] === undefined) void globalThis.Response;
  const undo = [install(first, port, null), install(second, port, globals[first] ?? null)];
  return () => {
    for (const each of undo) each();
  };
}

function install(key: symbol, port: MeshPort, otherwise: DispatcherLike | null): () => void {
  const before = globals[key];
  const below = before ?? (otherwise === null ? null : new CallbackDispatcher(otherwise));
  if (below === null) return () => {};
  const ours = new StandingDispatcher(port, below);
  // undici's own property is writable and cannot be configured; one of ours can be deleted again.
  if (before !== undefined) globals[key] = ours;
  else Object.defineProperty(globalThis, key, { value: ours, writable: true, configurable: true });
  return () => {
    ours.isActive = false;
    if (globals[key] !== ours) return;
    if (before !== undefined) globals[key] = before;
    else Reflect.deleteProperty(globalThis, key);
  };
}

/** The mesh over a dispatcher that was there before. */
class StandingDispatcher extends MeshDispatcher {
  isActive = true;
  readonly [belowOf]: DispatcherLike;

  constructor(port: MeshPort, below: DispatcherLike) {
    super(port, () => below);
    this[belowOf] = below;
  }

  override dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    return this.isActive ? super.dispatch(options, handler) : this[belowOf].dispatch(options, handler);
  }

  /** Limits that undici's WebSocket and EventSource read here. */
  get webSocketOptions(): unknown {
    return (this[belowOf] as { webSocketOptions?: unknown }).webSocketOptions;
  }

  get eventSourceOptions(): unknown {
    return (this[belowOf] as { eventSourceOptions?: unknown }).eventSourceOptions;
  }
}

/** Lets undici 8 call what Node's own fetch brought, which in Node 22 knows the older handlers only. */
class CallbackDispatcher implements DispatcherLike {
  readonly #to: DispatcherLike;

  constructor(to: DispatcherLike) {
    let below = to as DispatcherLike & { readonly [belowOf]?: DispatcherLike };
    while (below[belowOf] !== undefined) below = below[belowOf];
    this.#to = below;
  }

  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    return this.#to.dispatch(options, takesController(handler) ? callbacksOf(handler) : handler);
  }
}

function callbacksOf(handler: ControllerHandler): CallbackHandler {
  const controller = new CallController();
  return {
    onConnect(abort, context) {
      controller.onAbort = abort;
      handler.onRequestStart(controller, context);
    },
    onUpgrade(status: number, raw: Buffer[], socket: Duplex) {
      handler.onRequestUpgrade?.(controller, status, objectOf(raw), socket);
    },
    onHeaders(status, raw, resume, text) {
      controller.rawHeaders = raw;
      controller.onResume = resume;
      handler.onResponseStart?.(controller, status, objectOf(raw), text);
      return !controller.paused;
    },
    onData(chunk) {
      handler.onResponseData?.(controller, chunk);
      return !controller.paused;
    },
    onComplete(raw) {
      controller.rawTrailers = raw;
      handler.onResponseEnd?.(controller, objectOf(raw ?? []));
    },
    onError: (error) => handler.onResponseError?.(controller, error),
    onBodySent: (chunk) => handler.onBodySent?.(chunk),
    onRequestSent: () => handler.onRequestSent?.(),
    onResponseStarted: () => handler.onResponseStarted?.(),
  };
}

function objectOf(raw: readonly Buffer[]): ReturnType<typeof fieldObject> {
  return fieldObject({
    forEach(visit) {
      for (let i = 0; i + 1 < raw.length; i += 2) {
        visit((raw[i] as Buffer).toString('latin1'), (raw[i + 1] as Buffer).toString('latin1'));
      }
    },
  });
}
