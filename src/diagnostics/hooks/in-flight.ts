import { CallFollower } from './call-follower.ts';
import { http2Server, undiciClient } from './call-kinds.ts';
import { sharedNow } from './heartbeat.ts';
import { HttpCalls } from './http-calls.ts';

export interface InFlightGroup {
  readonly direction: 'server' | 'client';
  /** `GET /orders/:n` or `GET api.example:8080 /orders/:n`; names come from strangers and are bounded. */
  readonly target: string;
  readonly count: number;
  readonly oldestMs: number;
  readonly medianMs: number;
}

/** Calls that wait: from their start to the response head (server) or to the end of the answer (client). */
export class InFlight {
  readonly #http = new HttpCalls();
  readonly #followers = [new CallFollower(undiciClient), new CallFollower(http2Server)];
  readonly #sorts = [this.#http.server, this.#http.client, ...this.#followers];

  /** Call it ten times a second. */
  beat(): void {
    for (const follower of this.#followers) follower.beat();
  }

  /** Finds what waits now; `count` and `groups` tell it. */
  look(): void {
    this.#http.look();
    for (const follower of this.#followers) follower.look();
  }

  /** How many wait since the last look, and when the oldest began. */
  count(direction: 'server' | 'client'): { count: number; oldestStartMs: number } {
    let count = 0;
    let oldestStartMs = 0;
    for (const { kind, calls } of this.#sorts) {
      if (kind.direction !== direction) continue;
      count += calls.size;
      // A Map keeps the order of insertion: the first is the oldest.
      const [oldest] = calls.values();
      if (oldest !== undefined && (oldestStartMs === 0 || oldest.startMs < oldestStartMs))
        oldestStartMs = oldest.startMs;
    }
    return { count, oldestStartMs };
  }

  /** The calls in flight by direction and target, most first; at most 50 groups, the rest as `(other)`. */
  groups(): InFlightGroup[] {
    this.look();
    const groups = new Map<string, { direction: 'server' | 'client'; target: string; ages: number[] }>();
    const now = sharedNow();
    for (const { kind, calls } of this.#sorts) {
      const { direction } = kind;
      for (const call of calls.values()) {
        const named = kind.target(call.request);
        const target = groups.size < 50 || groups.has(`${direction} ${named}`) ? named : '(other)';
        const name = `${direction} ${target}`;
        const group = groups.get(name) ?? { direction, target, ages: [] };
        group.ages.push(now - call.startMs);
        groups.set(name, group);
      }
    }
    return [...groups.values()]
      .map(({ direction, target, ages }) => {
        const sorted = ages.sort((a, b) => b - a);
        const medianMs = sorted[sorted.length >> 1] ?? 0;
        return { direction, target, count: sorted.length, oldestMs: sorted[0] ?? 0, medianMs };
      })
      .sort((a, b) => b.count - a.count);
  }

  stop(): void {
    this.#http.stop();
    for (const follower of this.#followers) follower.stop();
  }
}
