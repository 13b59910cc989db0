import type { HeadView } from '../base/head-view.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { failStream } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';

/** Decides which try counts. */
export interface HedgeJudge {
  /** A hedge has the head of an answer, perhaps one of our own that says why there is none. @returns whether it won */
  answered(inner: Stream, buf: Buffer | null, a: number, b: number, end: boolean): boolean;
  /** A hedge is over without an answer. */
  failed(inner: Stream, code: number): void;
}

/**
 * Where the answer of one hedge goes: to its race, and once it has won to the stream that it helps, whose upstream it is
 * from then on.
 *
 *   host -> client codec -> inner stream -> HedgeEnd.down -> the stream -> downstream
 *                                           HedgeEnd.up   <- pauseRead, resumeRead, reset
 */
export class HedgeEnd {
  readonly down: StreamEnd;
  readonly up: StreamEnd;

  constructor(p: StreamProxy, race: HedgeJudge, s: Stream) {
    const down = new HedgeDown(p, race, s);
    this.down = down;
    this.up = new HedgeUp(p, down);
  }
}

/** The inner stream's downstream. */
class HedgeDown implements StreamEnd {
  /** The inner stream, from its first event on. */
  inner: Stream | null = null;
  isFull = false;
  #isWinner = false;
  readonly #proxy: StreamProxy;
  readonly #race: HedgeJudge;
  readonly #stream: Stream;

  constructor(p: StreamProxy, race: HedgeJudge, s: Stream) {
    this.#proxy = p;
    this.#race = race;
    this.#stream = s;
  }

  sendInformational(): void {}

  sendHead(inner: Stream, _head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.inner = inner;
    this.#isWinner = this.#race.answered(inner, buf, a, b, end);
    return !this.isFull;
  }

  sendData(inner: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (!this.#isWinner) return true;
    this.#stream.responseOwned = inner.responseOwned;
    this.#proxy.responseData(this.#stream, buf, a, b, end);
    return !this.isFull;
  }

  sendTrailers(_inner: Stream, trailers: HeadView): void {
    if (this.#isWinner) this.#proxy.responseTrailers(this.#stream, trailers);
  }

  reset(inner: Stream, code: number): void {
    if (!this.#isWinner) {
      this.#race.failed(inner, code);
      return;
    }
    this.#stream.up = null;
    failStream(this.#proxy, this.#stream, code);
  }

  pauseRead(): void {}

  resumeRead(): void {}
}

/** The upstream of the stream that was helped; its request is complete. */
class HedgeUp implements StreamEnd {
  readonly #proxy: StreamProxy;
  readonly #down: HedgeDown;

  constructor(p: StreamProxy, down: HedgeDown) {
    this.#proxy = p;
    this.#down = down;
  }

  sendInformational(): void {}

  sendHead(): boolean {
    return true;
  }

  sendData(): boolean {
    return true;
  }

  sendTrailers(): void {}

  reset(_s: Stream, code: number): void {
    const { inner } = this.#down;
    if (inner !== null && inner.down === this.#down) this.#proxy.downstreamReset(inner, code);
  }

  pauseRead(): void {
    this.#down.isFull = true;
  }

  resumeRead(): void {
    this.#down.isFull = false;
    const { inner } = this.#down;
    if (inner !== null && inner.down === this.#down) this.#proxy.writable(inner, this.#down);
  }
}
