import type { Socket } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import type { ConnectionState } from './messages.ts';
import type { ProcessLink } from './process-link.ts';
import type { SpreadTarget } from './spread.ts';

/** A worker that has not taken a connection for this long does not turn: others get what comes next. */
const stuckMs = 500;

interface UnderWay {
  readonly sequence: number;
  readonly sinceMs: number;
  readonly place: number;
  readonly socket: Socket;
}

/** Supervisor side: the connections that one worker was given. */
export class PassedConnections implements SpreadTarget {
  isReady = false;
  /** Told when it may take on more than before. */
  onAccepting: (() => void) | null = null;
  readonly #link: ProcessLink;
  readonly #clock: Clock;
  /** Gets back what this worker does not take. */
  readonly #giveBack: (place: number, socket: Socket) => void;
  readonly #underWay: UnderWay[] = [];
  /** Of each socket: open connections as the worker told last, and those sent that it had not seen then. */
  readonly #live = new Map<number, number>();
  readonly #unseen = new Map<number, number>();
  #accepting: ReadonlySet<number> = new Set();
  #sequence = 0;

  constructor(link: ProcessLink, clock: Clock, giveBack: (place: number, socket: Socket) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#giveBack = giveBack;
    link.onState = (state) => this.#take(state);
  }

  /** Sent so far, over all sockets. */
  get passed(): number {
    return this.#sequence;
  }

  get connections(): number {
    let sum = this.#underWay.length;
    for (const count of this.#live.values()) sum += count;
    return sum;
  }

  connectionsOf(place: number): number | null {
    if (!this.#accepting.has(place)) return null;
    const [oldest] = this.#underWay;
    if (oldest !== undefined && this.#clock.now() - oldest.sinceMs > stuckMs) return Number.MAX_SAFE_INTEGER;
    return (this.#live.get(place) ?? 0) + (this.#unseen.get(place) ?? 0);
  }

  pass(place: number, socket: Socket): void {
    if (socket.destroyed) return;
    const sequence = ++this.#sequence;
    this.#underWay.push({ sequence, sinceMs: this.#clock.now(), place, socket });
    this.#unseen.set(place, (this.#unseen.get(place) ?? 0) + 1);
    this.#link.send({ heddle: 'connection', sequence, socket: place }, socket);
  }

  /** The worker is gone: what it had not taken is given back. */
  end(): void {
    this.isReady = false;
    for (const each of this.#underWay.splice(0)) this.#giveBack(each.place, each.socket);
  }

  #take({ taken, refused, live, accepting }: ConnectionState): void {
    const hasMore = accepting.some((place) => !this.#accepting.has(place));
    this.#accepting = new Set(accepting);
    this.#live.clear();
    for (const [place, count] of live) this.#live.set(place, count);
    const back: UnderWay[] = [];
    while (this.#underWay.length > 0 && (this.#underWay[0] as UnderWay).sequence <= taken) {
      const each = this.#underWay.shift() as UnderWay;
      this.#unseen.set(each.place, (this.#unseen.get(each.place) ?? 1) - 1);
      // The descriptor was duplicated: this closes ours and the client sees nothing of it.
      if (refused.includes(each.sequence)) back.push(each);
      else each.socket.destroy();
    }
    for (const each of back) this.#giveBack(each.place, each.socket);
    if (hasMore) this.onAccepting?.();
  }
}
