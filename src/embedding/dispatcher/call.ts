import { HeddleError } from '../../core/base/errors.ts';
import type { CallAnswer, MeshPort } from '../port.ts';
import type { Listed } from './call-list.ts';
import { CallController, CallSignal, named } from './controller.ts';
import { type DispatchHandler, fieldObject, rawFields, takesController } from './handler.ts';
import { callOptionsOf, type DispatchOptions } from './options.ts';

// An import of `node:http` would load all of undici with it.
const { STATUS_CODES } = process.getBuiltinModule('node:http');
/** Of a call that is over: callers keep its controller, which shall not keep the answer. */
const nobody: DispatchHandler = { onRequestStart() {} };
const nothing: readonly Uint8Array[] = [];

/**
 * One dispatched call: asks the mesh and tells the handler, of either generation, in undici's order:
 *
 *   onRequestStart  onResponseStart  onResponseData*  onResponseEnd | onResponseError
 *   onConnect       onHeaders        onData*          onComplete    | onError
 */
export class DispatchCall extends CallController implements Listed {
  place = -1;
  #handler: DispatchHandler;
  readonly #onDone: (call: DispatchCall) => void;
  #signal: CallSignal | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStarted = false;
  #isOver = false;

  constructor(handler: DispatchHandler, onDone: (call: DispatchCall) => void) {
    super();
    this.#handler = handler;
    this.#onDone = onDone;
  }

  start(port: MeshPort, options: DispatchOptions, authority: string): void {
    const handler = this.#handler;
    this.#isStarted = true;
    try {
      if (takesController(handler)) handler.onRequestStart(this, null);
      else handler.onConnect?.((reason) => this.abort(reason), null);
    } catch (thrown) {
      this.abort(thrown as Error);
    }
    if (this.aborted) return;
    this.#arm(options.headersTimeout, 'Headers');
    let answered: Promise<CallAnswer>;
    try {
      this.#signal = new CallSignal();
      answered = port.request(callOptionsOf(options, authority, this.#signal as unknown as AbortSignal));
    } catch (thrown) {
      // As undici: the handler hears of it on a later turn, not from within `dispatch`.
      queueMicrotask(() => this.fail(thrown));
      return;
    }
    answered.then(
      (answer) => this.#answered(answer, options),
      (thrown) => this.fail(thrown),
    );
  }

  /** Ends it with an error, once. */
  fail(thrown: unknown): void {
    if (this.#isOver) return;
    const handler = this.#handler;
    this.#finish();
    const error = thrown instanceof Error ? thrown : HeddleError.from(thrown, 'ERR_REQUEST_INVALID');
    if (takesController(handler)) handler.onResponseError?.(this, error);
    else handler.onError?.(error);
  }

  /** Ends it without a word: somebody else tells the handler. */
  succeed(): void {
    if (!this.#isOver) this.#finish();
  }

  /** Not by `onAbort`: a closure in a field of each call is what the collector is slow with (MeshResponse.abortWith). */
  protected override aborting(reason: Error): void {
    if (!this.#isStarted) super.aborting(reason);
    else if (!this.#isOver) this.#aborted(reason);
  }

  #aborted(reason: Error): void {
    this.#signal?.abort(reason);
    if (this.#signal === null) queueMicrotask(() => this.fail(reason));
    else this.fail(reason);
  }

  #finish(): void {
    this.#isOver = true;
    this.onAbort = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = this.#signal = this.fields = null;
    this.#handler = nobody;
    this.#onDone(this);
  }

  #answered(answer: CallAnswer, options: DispatchOptions): void {
    if (this.#isOver) {
      answer.body.cancel();
      return;
    }
    const { complete } = answer.body;
    this.#disarm();
    try {
      this.#head(answer);
      if (this.#isOver) {
        answer.body.cancel();
      } else if (complete === null) void this.#stream(answer, options);
      else if (this.paused) void this.#later(complete, answer);
      else this.#whole(complete, answer);
    } catch (thrown) {
      answer.body.cancel();
      this.fail(thrown);
    }
  }

  #head(answer: CallAnswer): void {
    const handler = this.#handler;
    const text = STATUS_CODES[answer.status] ?? '';
    handler.onResponseStarted?.();
    if (takesController(handler)) {
      this.fields = answer.headers;
      handler.onResponseStart?.(this, answer.status, fieldObject(answer.headers), text);
      return;
    }
    const raw = rawFields(answer.headers);
    if (handler.onHeaders?.(answer.status, raw, () => this.resume(), text) === false) this.pause();
  }

  #whole(bytes: Uint8Array, answer: CallAnswer): void {
    if (bytes.length > 0) this.#data(bytes);
    if (this.#isOver) return;
    if (this.paused) void this.#later(null, answer);
    else this.#end(answer);
  }

  async #later(bytes: Uint8Array | null, answer: CallAnswer): Promise<void> {
    try {
      for (const chunk of bytes === null ? nothing : [bytes]) {
        if (this.paused) await this.untilResumed();
        if (this.#isOver) return;
        this.#data(chunk);
      }
      if (this.paused) await this.untilResumed();
      if (!this.#isOver) this.#end(answer);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  async #stream(answer: CallAnswer, options: DispatchOptions): Promise<void> {
    try {
      this.#arm(options.bodyTimeout, 'Body');
      for await (const chunk of answer.body) {
        this.#timer?.refresh();
        if (this.paused) await this.#untilResumed(options);
        if (this.#isOver) return;
        this.#data(chunk);
        if (this.paused) await this.#untilResumed(options);
        if (this.#isOver) return;
      }
      if (!this.#isOver) this.#end(answer);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** Time that the reader takes is not the upstream's. */
  async #untilResumed(options: DispatchOptions): Promise<void> {
    this.#disarm();
    await this.untilResumed();
    if (!this.#isOver) this.#arm(options.bodyTimeout, 'Body');
  }

  #data(bytes: Uint8Array): void {
    const handler = this.#handler;
    const chunk = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (takesController(handler)) handler.onResponseData?.(this, chunk);
    else if (handler.onData?.(chunk) === false) this.pause();
  }

  #end(answer: CallAnswer): void {
    const handler = this.#handler;
    this.#finish();
    if (takesController(handler)) {
      this.rawTrailers = rawFields(answer.trailers);
      handler.onResponseEnd?.(this, fieldObject(answer.trailers));
    } else handler.onComplete?.(rawFields(answer.trailers));
  }

  #arm(limitMs: number | null | undefined, what: 'Headers' | 'Body'): void {
    if (limitMs === undefined || limitMs === null || limitMs <= 0) return;
    this.#timer = setTimeout(() => {
      const error = named(
        `${what}TimeoutError`,
        `UND_ERR_${what.toUpperCase()}_TIMEOUT`,
        `${what} Timeout Error`,
      );
      this.#signal?.abort(error);
      this.fail(error);
    }, limitMs);
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
