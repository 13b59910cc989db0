import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often a busy loop is looked at, and how seldom an idle one; a look costs 15 us. */
const busyMs = 25;
const idleMs = 1000;
/** How seldom where V8 cannot be told to see to read buffers: a burst of 0.3 GiB/s leaves 30 MiB of them in that time. */
const unboundedIdleMs = 100;
const idleShare = 0.05;
/** Both halves of the young generation: V8 lets it grow to 32 MiB and more, which a proxy does not need. */
const maxYoungBytes = 8 * 1024 * 1024;
/** Read buffers that wait for a collection, above what the last one left: 64 KiB for each read of a client's body. */
const worthBytes = 8 * 1024 * 1024;
/** Four times as many MiB of buffers in the young generation make V8 collect it (128 by default in Node 24, 32 in 22). */
const youngBuffers = '--scavenger-max-new-space-capacity-mb=2';
/** The flag went with V8 14 (Node 25), and V8 prints what it does not know. */
const lastWithYoungBuffers = 13;
const oldGrowth = '--heap-growing-percent=50';

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

/**
 * Keeps the resident memory of a proxy that owns its process near what it needs. Not for a process that belongs to an
 * application: the collector's settings are the application's there.
 *
 * - The young generation stops growing at 8 MiB: what a proxy makes per read lives for microseconds (1 GiB to a slow
 *   reader: 18 MiB of growth otherwise). Looked at before a configuration is read, too: 200 virtual hosts made it 64 MiB.
 * - Bytes of clients' bodies are garbage that V8 is in no hurry to collect: up to 128 MiB, which the allocator then
 *   keeps, as objects of connections lie between. Whenever 8 MiB of them wait, a minor collection (0.4 ms) frees them for
 *   the next reads. V8 does so itself, as it allocates; where it cannot be told to, a look does.
 * - V8 counts those bytes as growth of the old generation, too, and allows it 8 MiB in the end: then it marks all the
 *   time, while which no minor collection runs and 20 MiB come in. Growth by half ends that.
 *
 * The last two: the allocator's heap grew by 23 MiB, not 34, with 9,000 connections of 1 MiB each way, by 13, not 34, with
 * 1,500 of them; CPU as before.
 */
class ProcessMemory {
  readonly #collect: Collect;
  /** V8 sees to read buffers of the young generation. */
  readonly #isBounded: boolean;
  /** What the last collection of each type left, or less if there was less since. */
  readonly #leftBytes: { minor: number; major: number } = { minor: 0, major: 0 };
  #isYoungFixed = false;
  #delayMs = busyMs;
  #last = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | null = null;

  constructor(collect: Collect, isBounded: boolean) {
    this.#collect = collect;
    this.#isBounded = isBounded;
    this.#fixYoung();
    this.#sleep();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #sleep(): void {
    this.#timer = setTimeout(() => this.#look(), this.#delayMs).unref();
  }

  #look(): void {
    const now = performance.eventLoopUtilization();
    const isIdle = performance.eventLoopUtilization(now, this.#last).utilization < idleShare;
    this.#last = now;
    this.#delayMs = isIdle ? Math.min(2 * this.#delayMs, this.#isBounded ? idleMs : unboundedIdleMs) : busyMs;
    if (!this.#isYoungFixed) this.#fixYoung();
    this.#relieve(isIdle);
    this.#sleep();
  }

  /** Reads what waits no more often than it must: that is most of the cost of a look. */
  #relieve(isIdle: boolean): void {
    if (!isIdle && this.#isBounded) return;
    let waitingBytes = arrayBufferBytes();
    const left = this.#leftBytes;
    left.minor = Math.min(left.minor, waitingBytes);
    left.major = Math.min(left.major, waitingBytes);
    for (const type of isIdle ? (['minor', 'major'] as const) : (['minor'] as const)) {
      if (waitingBytes - left[type] < worthBytes) continue;
      this.#collect({ type });
      waitingBytes = left[type] = arrayBufferBytes();
    }
  }

  #fixYoung(): void {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young === undefined || young.space_size < maxYoungBytes) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    this.#isYoungFixed = true;
  }
}

const arrayBufferBytes = (): number => process.memoryUsage().arrayBuffers;

/** @returns stops looking */
export function keepMemoryLow(): () => void {
  setFlagsFromString('--expose-gc');
  setFlagsFromString(oldGrowth);
  const isBounded = Number.parseInt(process.versions.v8, 10) <= lastWithYoungBuffers;
  if (isBounded) setFlagsFromString(youngBuffers);
  const memory = new ProcessMemory(runInNewContext('gc') as Collect, isBounded);
  return () => memory.stop();
}
