import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { isProcessMessage, type ProcessMessage } from './messages.ts';

/** Functions that the other process may call; their results are plain data. */
export type ProcessCalls = Readonly<Record<string, (argument: never) => unknown>>;

type Message<Kind extends ProcessMessage['heddle']> = ProcessMessage & { readonly heddle: Kind };

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The IPC channel between a supervisor and one of its workers, seen from either end. Needs `serialization: 'advanced'`. */
export class ProcessLink {
  onConnection: ((message: Message<'connection'>, socket: Socket | undefined) => void) | null = null;
  onState: ((message: Message<'state'>) => void) | null = null;
  readonly #peer: ChildProcess | NodeJS.Process;
  readonly #calls: ProcessCalls;
  readonly #pending = new Map<number, Pending>();
  #ids = 0;

  constructor(peer: ChildProcess | NodeJS.Process, calls: ProcessCalls = {}) {
    this.#peer = peer;
    this.#calls = calls;
    // ChildProcess and Process share these two events, not a type.
    const emitter = peer as NodeJS.EventEmitter;
    emitter.on('message', (message: unknown, handle: unknown) => {
      if (isProcessMessage(message)) this.#take(message, handle);
    });
    emitter.on('disconnect', () => this.#failAll());
  }

  get isOpen(): boolean {
    return this.#peer.connected === true;
  }

  /** @throws HeddleError ERR_WORKER_PROCESS when the other side threw or ended */
  call<Result>(name: string, argument?: unknown): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    if (!this.isOpen) return Promise.reject(ended());
    const id = ++this.#ids;
    this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
    this.send({ heddle: 'call', id, name, argument });
    return promise;
  }

  /** The sender keeps the socket open and closes its own descriptor later. */
  send(message: ProcessMessage, socket?: Socket): void {
    // The callback takes what went wrong: the close of the channel is the news.
    if (this.isOpen) this.#peer.send?.(message, socket, { keepOpen: true }, () => {});
  }

  #take(message: ProcessMessage, handle: unknown): void {
    if (message.heddle === 'connection') this.onConnection?.(message, handle as Socket | undefined);
    else if (message.heddle === 'state') this.onState?.(message);
    else if (message.heddle === 'call') void this.#answer(message);
    else this.#settle(message);
  }

  #settle({ id, value, failure }: Message<'answer'>): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (failure === undefined) pending?.resolve(value);
    else pending?.reject(new HeddleError('ERR_WORKER_PROCESS', failure));
  }

  async #answer({ id, name, argument }: Message<'call'>): Promise<void> {
    try {
      const value = await this.#calls[name]?.(argument as never);
      this.send({ heddle: 'answer', id, value });
    } catch (thrown) {
      this.send({ heddle: 'answer', id, failure: messageOf(thrown) });
    }
  }

  #failAll(): void {
    for (const each of this.#pending.values()) each.reject(ended());
    this.#pending.clear();
  }
}

const ended = (): HeddleError =>
  new HeddleError('ERR_WORKER_PROCESS', 'the process at the other end is gone');
