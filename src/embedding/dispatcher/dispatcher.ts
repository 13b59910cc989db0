import { EventEmitter } from 'node:events';
import type { MeshPort } from '../port.ts';
import { DispatchCall } from './call.ts';
import { CallList } from './call-list.ts';
import { named } from './controller.ts';
import { type DispatchHandler, takesController } from './handler.ts';
import { authorityOfOrigin, type DispatchOptions } from './options.ts';
import { dispatchUpgrade } from './upgrade.ts';

/** The part of undici's Dispatcher that others need of it. */
export interface DispatcherLike {
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean;
}

type Dispatch = (options: DispatchOptions, handler: DispatchHandler) => boolean;
type Interceptor = (dispatch: Dispatch, origin?: string | null) => Dispatch;
type Done = (error: Error | null, data: null) => void;

/**
 * The mesh as an undici `Dispatcher`, made without undici: calls to names that the mesh knows go through it, all others
 * to the dispatcher that was there before, as they are. Handlers of both generations are served (Node 22's fetch has the
 * older one).
 *
 * @example
 * setGlobalDispatcher(mesh.dispatcher);
 * await request('http://users/42', { dispatcher: mesh.dispatcher });
 */
export class MeshDispatcher extends EventEmitter implements DispatcherLike {
  closed = false;
  destroyed = false;
  readonly #port: MeshPort;
  readonly #others: () => DispatcherLike | null;
  readonly #calls = new CallList<DispatchCall>();
  #idle: (() => void)[] = [];
  readonly #onDone = (call: DispatchCall): void => {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const each of waiting) each();
  };

  /** @param others takes the calls to hosts that the mesh does not know; null: they fail */
  constructor(port: MeshPort, others: () => DispatcherLike | null) {
    super();
    this.#port = port;
    this.#others = others;
  }

  /** @returns true: the next one may follow at once */
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    const authority = authorityOfOrigin(options.origin);
    if (this.closed || !this.#port.knows(authority)) {
      const others = this.#others();
      if (others !== null && !(this.closed && this.#port.knows(authority))) {
        return others.dispatch(options, handler);
      }
      refuse(handler, this.closed ? closedError(this.destroyed) : unknownError(authority));
      return true;
    }
    const call = new DispatchCall(handler, this.#onDone);
    this.#calls.add(call);
    if (options.upgrade || options.method === 'CONNECT') {
      dispatchUpgrade(this.#port, call, handler, options, authority);
    } else call.start(this.#port, options, authority);
    return true;
  }

  /** Takes no more calls; resolves when those under way have ended. The mesh itself goes on. */
  close(): Promise<void>;
  close(done: Done): void;
  close(done?: Done): Promise<void> | undefined {
    this.closed = true;
    const ended = new Promise<void>((resolve) => {
      if (this.#calls.size === 0) resolve();
      else this.#idle.push(resolve);
    });
    return answer(ended, done);
  }

  /** Ends the calls under way with `error`. */
  destroy(error?: Error | null): Promise<void>;
  destroy(error: Error | null, done: Done): void;
  destroy(done: Done): void;
  destroy(error?: Error | null | Done, done?: Done): Promise<void> | undefined {
    if (typeof error === 'function') return this.destroy(null, error) as undefined;
    this.closed = this.destroyed = true;
    for (const call of this.#calls.all()) call.abort(error ?? closedError(true));
    return answer(Promise.resolve(), done);
  }

  /** As undici's: the interceptors see each call first, the last one given outermost. */
  compose(...interceptors: (Interceptor | readonly Interceptor[] | null | undefined)[]): this {
    let dispatch: Dispatch = this.dispatch.bind(this);
    for (const interceptor of interceptors.flat()) {
      if (interceptor === null || interceptor === undefined) continue;
      if (typeof interceptor !== 'function') {
        throw new TypeError(`invalid interceptor, expected function received ${typeof interceptor}`);
      }
      dispatch = interceptor(dispatch, null);
      if (typeof dispatch !== 'function' || dispatch.length !== 2) throw new TypeError('invalid interceptor');
    }
    const composed = dispatch;
    return new Proxy(this, {
      get: (target, key) => {
        if (key === 'dispatch') return composed;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

function answer(ended: Promise<void>, done: Done | undefined): Promise<void> | undefined {
  if (done === undefined) return ended;
  void ended.then(() => done(null, null));
  return undefined;
}

function refuse(handler: DispatchHandler, error: Error): void {
  queueMicrotask(() => {
    if (takesController(handler)) handler.onResponseError?.(null, error);
    else handler.onError?.(error);
  });
}

function closedError(isDestroyed: boolean): Error {
  return isDestroyed
    ? named('ClientDestroyedError', 'UND_ERR_DESTROYED', 'The client is destroyed')
    : named('ClientClosedError', 'UND_ERR_CLOSED', 'The client is closed');
}

function unknownError(authority: string): Error {
  return named(
    'InvalidArgumentError',
    'UND_ERR_INVALID_ARG',
    `the mesh does not know ${authority || 'a call without origin'}`,
  );
}
