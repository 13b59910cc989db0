import type { BufferBudget } from '../base/buffers.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { Logger } from '../contract/logger.ts';
import type { Metrics } from '../contract/metrics.ts';

/** What the stream core of one mesh works with. */
export interface ProxyContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly budget: BufferBudget;
  /** Keeps the process alive while calls of its own are under way: all timers of the mesh are unreferenced. */
  readonly keepAlive?: { ref(): void; unref(): void };
}
