import { Code } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import type { HeadView } from '../base/head-view.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';

/** Bytes that may wait for the reader before the upstream is told to stop. */
const highWaterBytes = 64 * 1024;

/**
 * A response body in the caller's hands: read it whole (`bytes`), or chunk by chunk (`for await`); a slow reader slows
 * the upstream down. It can be read once.
 */
export class ResponseBody implements AsyncIterable<Buffer> {
  trailers: HeadView | null = null;
  readonly #end: StreamEnd;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #stream: Stream | null = null;
  #gen = 0;
  #isEnded = false;
  #error: HeddleError | null = null;
  #wake: (() => void) | null = null;
  #isCollecting = false;
  #isRead = false;

  constructor(end: StreamEnd) {
    this.#end = end;
  }

  get isFull(): boolean {
    return !this.#isCollecting && this.#sizeBytes > highWaterBytes;
  }

  /** The whole body when it came with the head, else null: saves a promise. */
  get complete(): Buffer | null {
    if (!this.#isEnded || this.#error !== null || this.#isRead) return null;
    return this.#join();
  }

  async bytes(): Promise<Buffer> {
    this.#claim();
    this.#isCollecting = true;
    this.#drained();
    while (!this.#isEnded) await this.#next();
    if (this.#error !== null) throw this.#error;
    return this.#join();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    this.#claim();
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#sizeBytes -= chunk.length;
          if (this.#sizeBytes === 0) this.#drained();
          yield chunk;
        } else if (this.#error !== null) throw this.#error;
        else if (this.#isEnded) return;
        else await this.#next();
      }
    } finally {
      this.cancel();
    }
  }

  /** Stops reading; the upstream is cancelled when it is not done. */
  cancel(): void {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen || this.#isEnded) return;
    this.#stream = null;
    this.#isEnded = true;
    s.core.downstreamReset(s, Code.aborted);
  }

  /** @internal */
  bind(s: Stream): void {
    this.#stream = s;
    this.#gen = s.gen;
  }

  /** @internal */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    this.#wakeUp();
  }

  /** @internal */
  end(trailers: HeadView | null): void {
    this.trailers = trailers;
    this.#isEnded = true;
    this.#stream = null;
    this.#wakeUp();
  }

  /** @internal */
  fail(error: HeddleError): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.#isEnded = true;
    this.#stream = null;
    this.#wakeUp();
  }

  #claim(): void {
    if (this.#isRead) throw new HeddleError('ERR_OPTION_INVALID', 'the response body was read already');
    this.#isRead = true;
  }

  #join(): Buffer {
    this.#isRead = true;
    const whole = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#sizeBytes = 0;
    return whole;
  }

  #drained(): void {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen) return;
    s.core.writable(s, this.#end);
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
