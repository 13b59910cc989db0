import type { TimerWheel } from '../base/timer-wheel.ts';
import type { Stream } from '../contract/stream.ts';

/**
 * A stream has up to four limits and one wheel node: the node waits for the nearest, and what fired is found out then.
 * Activity only stores a number; the idle limit is worked out when the node comes up.
 */
export function armStream(wheel: TimerWheel, s: Stream): void {
  const nearest = nearestLimit(s);
  if (nearest === 0) wheel.disarm(s);
  else wheel.arm(s, nearest);
}

/** The nearest of the stream's limits, monotonic ms; 0 = none. */
function nearestLimit(s: Stream): number {
  let nearest = Number.POSITIVE_INFINITY;
  if (s.routeDeadlineMs > 0) nearest = s.routeDeadlineMs;
  if (s.tryDeadlineMs > 0 && s.tryDeadlineMs < nearest) nearest = s.tryDeadlineMs;
  if (s.retryAtMs > 0 && s.retryAtMs < nearest) nearest = s.retryAtMs;
  if (s.idleTimeoutMs > 0 && s.lastActivityMs + s.idleTimeoutMs < nearest) {
    nearest = s.lastActivityMs + s.idleTimeoutMs;
  }
  return nearest === Number.POSITIVE_INFINITY ? 0 : nearest;
}

export type DueLimit = 'retry' | 'route' | 'try' | 'idle' | 'none';

/** Which limit is due at `nowMs`; the route's wins over the try's. */
export function dueLimit(s: Stream, nowMs: number): DueLimit {
  if (s.routeDeadlineMs > 0 && s.routeDeadlineMs <= nowMs) return 'route';
  if (s.retryAtMs > 0 && s.retryAtMs <= nowMs) return 'retry';
  if (s.tryDeadlineMs > 0 && s.tryDeadlineMs <= nowMs) return 'try';
  if (s.idleTimeoutMs > 0 && s.lastActivityMs + s.idleTimeoutMs <= nowMs) return 'idle';
  return 'none';
}
