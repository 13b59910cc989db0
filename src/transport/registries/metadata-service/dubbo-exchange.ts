import type { Clock, Timer } from '../../../core/base/clock.ts';
import { Code, factsOf } from '../../../core/base/codes.ts';
import type { ByteEngine, Dialer, Wire } from '../../../core/contract/wire.ts';
import { idOf, kindOf, setId, sizeOf } from '../../codecs/dubbo/frame.ts';
import { FrameKind } from '../../codecs/framed/protocol.ts';

export interface ExchangeLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const requestId = 1;

/**
 * One request to a Dubbo provider on a connection of its own. For what is asked once in a while: a pool would keep
 * connections for nothing.
 *
 * @param request a whole frame
 * @returns the whole frame of the answer. Rejects when there is none in time
 */
export function exchangeDubbo(
  dial: Dialer,
  address: string,
  request: Buffer,
  limits: ExchangeLimits,
  clock: Clock,
): Promise<Buffer> {
  setId(request, 0, requestId, 0);
  return new Promise((resolve, reject) => {
    new Exchange(dial(address, limits.timeoutMs), request, limits, clock, resolve, (reason) =>
      reject(new Error(`${address}: ${reason}`)),
    );
  });
}

class Exchange implements ByteEngine {
  readonly #wire: Wire;
  readonly #limits: ExchangeLimits;
  readonly #resolve: (frame: Buffer) => void;
  readonly #reject: (reason: string) => void;
  readonly #timer: Timer;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** Nothing can be said before so many are here. */
  #wantedBytes = 1;
  #isOver = false;

  constructor(
    wire: Wire,
    request: Buffer,
    limits: ExchangeLimits,
    clock: Clock,
    resolve: (frame: Buffer) => void,
    reject: (reason: string) => void,
  ) {
    this.#wire = wire;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = clock.setTimer(limits.timeoutMs, () => this.#end(`no answer in ${limits.timeoutMs} ms`));
    wire.attach(this);
    wire.write(request, 0, request.length);
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#parts.push(Buffer.from(buf.subarray(start, end)));
    this.#heldBytes += end - start;
    while (!this.#isOver && this.#heldBytes >= this.#wantedBytes) this.#cut();
  }

  /** Heartbeats and what is meant for nobody are passed over. */
  #cut(): void {
    const held = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    const size = sizeOf(held, 0, held.length);
    if (size < 0) this.#end('the answer is no Dubbo frame');
    else if (size > this.#limits.maxBytes) this.#end(`an answer of ${size} bytes`);
    else if (size === 0 || size > held.length) this.#hold(held, Math.max(size, held.length + 1));
    else if (kindOf(held, 0, size) === FrameKind.response && idOf(held, 0) === requestId) {
      this.#end('', held.subarray(0, size));
    } else this.#hold(held.subarray(size), 1);
  }

  #hold(held: Buffer, wantedBytes: number): void {
    this.#parts = [held];
    this.#heldBytes = held.length;
    this.#wantedBytes = wantedBytes;
  }

  onDrain(): void {}

  onEnd(): void {
    this.#end('the connection ended');
  }

  onClose(code: number): void {
    this.#end(factsOf(code).name.replaceAll('_', ' '));
  }

  #end(reason: string, answer: Buffer | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#wire.destroy(Code.locallyClosed);
    if (answer === null) this.#reject(reason);
    else this.#resolve(answer);
  }
}
