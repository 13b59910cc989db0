import type { DispatchController } from './handler.ts';

/** One call's controller: pauses the answer, resumes it, aborts the call. */
export class CallController implements DispatchController {
  rawHeaders: Buffer[] | null = null;
  rawTrailers: Buffer[] | null = null;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  /** What an abort does; set while there is something to end. */
  onAbort: ((reason: Error) => void) | null = null;
  /** Told of each resume. */
  onResume: (() => void) | null = null;
  #resumed: (() => void) | null = null;

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
    this.onAbort?.(this.reason);
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
