import type { FieldList } from '../port.ts';
import { type DispatchController, rawFields } from './handler.ts';

/** One call's controller: pauses the answer, resumes it, aborts the call. */
export class CallController implements DispatchController {
  rawTrailers: Buffer[] | null = null;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  /** Where `rawHeaders` come from: few look at them, so they are made when somebody does. */
  protected fields: FieldList | null = null;
  #rawHeaders: Buffer[] | null = null;
  /** What an abort does; set while there is something to end. */
  onAbort: ((reason: Error) => void) | null = null;
  /** Told of each resume. */
  onResume: (() => void) | null = null;
  #resumed: (() => void) | null = null;

  get rawHeaders(): Buffer[] | null {
    if (this.#rawHeaders === null && this.fields !== null) this.#rawHeaders = rawFields(this.fields);
    return this.#rawHeaders;
  }

  set rawHeaders(raw: Buffer[] | null) {
    this.#rawHeaders = raw;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.onResume?.();
    this.#wake();
  }

  abort(reason?: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason ?? abortError();
    this.paused = false;
    this.#wake();
    this.aborting(this.reason);
  }

  protected aborting(reason: Error): void {
    this.onAbort?.(reason);
  }

  /** Resolves once it is not paused. */
  untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  #wake(): void {
    const resumed = this.#resumed;
    this.#resumed = null;
    resumed?.();
  }
}

/** What undici's users look for: `name` and `code`. */
function abortError(): Error {
  return named('AbortError', 'UND_ERR_ABORTED', 'Request aborted');
}

export function named(name: string, code: string, message: string): Error {
  return Object.assign(new Error(message), { name, code });
}

/**
 * The part of an AbortSignal that a call uses, for one listener. A real one costs 1 us and, because the collector has to
 * look after it, as much again in collections: 20 us a call at 30,000 calls a second.
 */
export class CallSignal {
  aborted = false;
  reason: unknown = undefined;
  #listener: { handleEvent(): void } | null = null;

  addEventListener(_type: 'abort', listener: { handleEvent(): void }): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = null;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listener = this.#listener;
    this.#listener = null;
    listener?.handleEvent();
  }
}
