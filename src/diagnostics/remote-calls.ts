import type { Worker } from 'node:worker_threads';
import { type ErrorCode, errorCodes } from '../core/base/error-codes.ts';
import { HeddleError } from '../core/base/errors.ts';
import type { ControlCall, WorkerMessage } from './worker/worker-data.ts';

type Waiting = { resolve(value: unknown): void; reject(reason: Error): void };

/** Calls from the application's thread to the monitor's worker. */
export class RemoteCalls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended = false;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  async call<Result>(method: ControlCall['method'], argument?: unknown): Promise<Result> {
    if (this.#ended) throw new HeddleError('ERR_MONITOR_STOPPED', method);
    const id = this.#nextId++;
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const call: ControlCall = { type: 'call', id, method, argument };
    // Somebody waits for the answer: until it is there the worker counts for the life of the process.
    this.#worker.ref();
    try {
      this.#worker.postMessage(call);
      return (await answered) as Result;
    } finally {
      if (this.#waiting.size === 0) this.#worker.unref();
    }
  }

  receive(message: WorkerMessage): void {
    if (message.type !== 'answer' && message.type !== 'failure') return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(errorOf(message));
  }

  /** The worker is gone: whoever waits is told. */
  end(reason: string): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(new HeddleError('ERR_MONITOR_STOPPED', reason));
    this.#waiting.clear();
  }
}

/** Rebuilds the worker's error: the message is complete already, so only its detail is kept. */
function errorOf({ code, message }: { readonly code: string; readonly message: string }): HeddleError {
  const known: ErrorCode = code in errorCodes ? (code as ErrorCode) : 'ERR_MONITOR_CAPTURE';
  const head = `[${known}] ${errorCodes[known].what}: `;
  const tail = ` — ${errorCodes[known].solve}`;
  const detail =
    message.startsWith(head) && message.endsWith(tail) ? message.slice(head.length, -tail.length) : message;
  return new HeddleError(known, detail);
}
