import { Code } from '../../core/base/codes.ts';
import type { Pool } from '../../core/contract/pool.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { type StreamEnd, waiting } from '../../core/contract/stream-end.ts';
import type { Carrier, GrpcExchange } from './exchange.ts';

/** What a call may have sent and still be sent again as a whole when the server says that it did not look at it. */
const mostKeptBytes = 1024 * 1024;

interface Piece {
  readonly bytes: Buffer;
  readonly end: boolean;
}

/**
 * One call on a channel's connections.
 *
 *   open -> bound at once or `waiting` -> head, what was sent meanwhile -> ... -> exchange.lost | trailers
 *                                      -> refused unseen (RFC 9113 §8.7, GOAWAY): once more, on another connection
 */
export class ChannelStream implements Carrier {
  readonly exchange: GrpcExchange;
  readonly #s: Stream;
  readonly #pool: Pool;
  /** Everything sent so far; null once it cannot be sent again. */
  #kept: Piece[] | null = [];
  #keptBytes = 0;
  #isWaiting = false;
  #mayRetry = true;
  /** The reader asked for a pause before there was anything to pause. */
  #isPaused = false;
  readonly #ended: () => void;

  /** @param ended called once when the stream is over, whoever ended it */
  constructor(s: Stream, pool: Pool, exchange: GrpcExchange, ended: () => void) {
    this.#s = s;
    this.#pool = pool;
    this.exchange = exchange;
    this.#ended = ended;
  }

  open(): void {
    const s = this.#s;
    const end = this.#pool.open(s);
    if (typeof end === 'object') this.ready(end);
    else if (end === waiting) this.#isWaiting = true;
    else this.#over(end);
  }

  /** There is a place on a connection. */
  ready(end: StreamEnd): void {
    const s = this.#s;
    this.#isWaiting = false;
    let isOpen = end.sendHead(s, s.req, null, 0, 0, false);
    for (const { bytes, end: isLast } of this.#kept ?? []) {
      if (s.up !== null) isOpen = end.sendData(s, bytes, 0, bytes.length, isLast);
    }
    if (s.up === null) return;
    if (this.#isPaused) end.pauseRead(s);
    if (isOpen && this.#keptBytes > 0) this.exchange.writable();
  }

  send(bytes: Buffer, end: boolean): boolean {
    const s = this.#s;
    this.#keep(bytes, end);
    return s.up === null ? false : s.up.sendData(s, bytes, 0, bytes.length, end);
  }

  #keep(bytes: Buffer, end: boolean): void {
    this.#keptBytes += bytes.length;
    const isHeldBack = this.#s.up === null;
    if (!isHeldBack && this.#keptBytes > mostKeptBytes) this.#kept = null;
    this.#kept?.push({ bytes, end });
  }

  cancel(code: number): void {
    const s = this.#s;
    if (this.#isWaiting) this.#pool.cancelWait(s);
    const { up } = s;
    s.up = null;
    up?.reset(s, code);
    this.#ended();
  }

  pauseRead(): void {
    this.#isPaused = true;
    this.#s.up?.pauseRead(this.#s);
  }

  resumeRead(): void {
    this.#isPaused = false;
    this.#s.up?.resumeRead(this.#s);
  }

  /** The server answers: the call is no more sent again. */
  answered(): void {
    this.#kept = null;
  }

  /** The end of the stream came with what was delivered. */
  done(): void {
    this.#s.up = null;
    this.#ended();
  }

  /** The stream is gone without an end. */
  lost(code: number): void {
    const s = this.#s;
    s.up = null;
    this.#isWaiting = false;
    if (code !== Code.upstreamRefused || !this.#mayRetry || this.#kept === null) {
      this.#over(code);
      return;
    }
    this.#mayRetry = false;
    s.res.reset();
    this.open();
  }

  #over(code: number): void {
    this.#ended();
    this.exchange.lost(code);
  }
}
