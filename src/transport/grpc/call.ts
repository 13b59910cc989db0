import { Code } from '../../core/base/codes.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { GrpcStatus } from '../../core/base/grpc-status.ts';
import { grpcError } from './errors.ts';
import type { ExchangeListener, GrpcExchange, GrpcOutcome } from './exchange.ts';
import { GrpcMetadata } from './metadata.ts';
import type { GrpcMethod } from './method.ts';

/** Bytes of messages that may wait for the reader before the server is told to stop. */
const highWaterBytes = 64 * 1024;

/**
 * A call under way, of any kind: send messages, read them, or both. A reader that is slow slows the server down, a
 * server that is slow makes `send` wait.
 *
 * @example
 * const call = channel.open(chat);
 * await call.send({ text: 'hello' });
 * call.end();
 * for await (const answer of call) console.log(answer.text);
 */
export class GrpcCall<Request, Response> implements AsyncIterable<Response>, ExchangeListener {
  readonly #method: GrpcMethod<Request, Response>;
  readonly #path: string;
  readonly #maxSendBytes: number;
  readonly #metadata = Promise.withResolvers<GrpcMetadata>();
  readonly #outcome = Promise.withResolvers<GrpcOutcome>();
  #exchange: GrpcExchange | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isPaused = false;
  #isRead = false;
  #ended: GrpcOutcome | null = null;
  #failure: HeddleError | null = null;
  #wakeReader: (() => void) | null = null;
  #room: PromiseWithResolvers<void> | null = null;
  #isFull = false;
  #stopListening: (() => void) | null = null;

  /** @internal By the channel. */
  constructor(method: GrpcMethod<Request, Response>, maxSendBytes: number) {
    this.#method = method;
    this.#maxSendBytes = maxSendBytes;
    this.#path = pathOf(method);
    // Most callers look at neither.
    this.#metadata.promise.catch(() => undefined);
  }

  /** What the server sent ahead of its messages. Rejects when the call failed before. */
  get metadata(): Promise<GrpcMetadata> {
    return this.#metadata.promise;
  }

  /** How it ended; never rejects. Comes once the server has ended the call, read or not. */
  get outcome(): Promise<GrpcOutcome> {
    return this.#outcome.promise;
  }

  /** @internal */
  begin(exchange: GrpcExchange, signal: AbortSignal | undefined): void {
    this.#exchange = exchange;
    if (signal === undefined) return;
    const abort = (): void => exchange.cancel(Code.aborted, GrpcStatus.cancelled, messageOf(signal.reason));
    if (signal.aborted) abort();
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.#stopListening = () => signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Resolves when the next message may be sent; what is sent after the call has ended goes nowhere (see `outcome`).
   * @throws HeddleError ERR_GRPC_STATUS, RESOURCE_EXHAUSTED, for a message above `maxSendBytes`; what `encode` throws
   */
  async send(request: Request): Promise<void> {
    const exchange = this.#exchange;
    const bytes = this.#encode(request);
    while (this.#isFull) await this.#writable();
    if (exchange === null || this.#ended !== null) return;
    this.#isFull = !exchange.send(bytes);
    if (this.#isFull) await this.#writable();
  }

  /** The last message, in one piece with the end. @internal */
  sendLast(request: Request): void {
    this.#exchange?.send(this.#encode(request), true);
  }

  /** No more messages of ours. */
  end(): void {
    this.#exchange?.end();
  }

  /** Ends the call; a reader gets CANCELLED. */
  cancel(): void {
    this.#exchange?.cancel(Code.aborted, GrpcStatus.cancelled, 'cancelled by the caller');
  }

  /** Messages as they come. Once; throws the error of a call that did not end with OK. Leaving early cancels the call. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Response, void, void> {
    if (this.#isRead) throw new HeddleError('ERR_OPTION_INVALID', `${this.#path} is read already`);
    this.#isRead = true;
    try {
      for (;;) {
        const message = this.#take();
        if (message !== null) yield this.#decode(message);
        else if (this.#ended === null) await this.#arrival();
        else if (this.#failure !== null) throw this.#failure;
        else return;
      }
    } finally {
      this.cancel();
    }
  }

  /** The one message of a unary answer. @internal */
  async only(): Promise<Response> {
    let found: { readonly message: Response } | null = null;
    for await (const message of this) {
      if (found !== null) throw this.#broken('the server sent more than one message');
      found = { message };
    }
    if (found === null) throw this.#broken('the server sent no message');
    return found.message;
  }

  // ---- ExchangeListener ------------------------------------------------------------------------------------------

  onMetadata(metadata: GrpcMetadata): void {
    this.#metadata.resolve(metadata);
  }

  onMessage(message: Buffer): void {
    this.#queue.push(message);
    this.#queuedBytes += message.length + 1;
    if (this.#queuedBytes > highWaterBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#exchange?.pauseRead();
    }
    this.#wakeReader?.();
  }

  onWritable(): void {
    this.#isFull = false;
    this.#room?.resolve();
    this.#room = null;
  }

  onOutcome(outcome: GrpcOutcome): void {
    this.#ended = outcome;
    if (outcome.status !== GrpcStatus.ok) this.#failure ??= grpcError(this.#path, outcome);
    this.#stopListening?.();
    if (this.#failure === null) this.#metadata.resolve(new GrpcMetadata());
    else this.#metadata.reject(this.#failure);
    this.#outcome.resolve(outcome);
    this.#wakeReader?.();
    this.onWritable();
  }

  #take(): Buffer | null {
    const message = this.#queue.shift();
    if (message === undefined) return null;
    this.#queuedBytes -= message.length + 1;
    if (this.#isPaused && this.#queue.length === 0) {
      this.#isPaused = false;
      this.#exchange?.resumeRead();
    }
    return message;
  }

  /** What cannot be sent ends the call: the server never learns of half a conversation. */
  #encode(request: Request): Uint8Array {
    try {
      const bytes = this.#method.encode(request);
      if (bytes.length <= this.#maxSendBytes) return bytes;
      throw this.#broken(
        `a message of ${bytes.length} bytes is larger than maxSendBytes`,
        undefined,
        GrpcStatus.resourceExhausted,
      );
    } catch (thrown) {
      this.cancel();
      throw thrown;
    }
  }

  #decode(message: Buffer): Response {
    try {
      return this.#method.decode(message);
    } catch (thrown) {
      this.#exchange?.cancel(Code.upstreamProtocol);
      throw this.#broken(`the message cannot be decoded: ${messageOf(thrown)}`, thrown);
    }
  }

  #broken(message: string, cause?: unknown, status: number = GrpcStatus.internal): HeddleError {
    const trailers = this.#ended?.trailers ?? new GrpcMetadata();
    const outcome = { status, message, trailers, reason: 'upstream_protocol', unprocessed: false };
    return grpcError(this.#path, outcome, cause);
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeReader = resolve;
    });
  }

  #writable(): Promise<void> {
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }
}

export function pathOf(method: { readonly service: string; readonly name: string }): string {
  return `/${method.service}/${method.name}`;
}
