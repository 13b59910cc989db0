import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often a busy loop is looked at, and how seldom an idle one; a look costs 15 us. */
const busyMs = 25;
const idleMs = 1000;
const idleShare = 0.05;
/** Both halves of the young generation: V8 lets it grow to 32 MiB and more, which a proxy does not need. */
const maxYoungBytes = 8 * 1024 * 1024;
/** Read buffers that wait for a collection, above what the last one left: 64 KiB for each read of a client's body. */
const worthBytes = 8 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

/**
 * Keeps the resident memory of a proxy that owns its process near what it needs. Not for a process that belongs to an
 * application: the collector's settings are the application's there.
 *
 * - The young generation stops growing at 8 MiB: what a proxy makes per read lives for microseconds (1 GiB to a slow
 *   reader: 18 MiB of growth otherwise). Looked at before a configuration is read, too: 200 virtual hosts made it 64 MiB.
 * - Bytes of clients' bodies are garbage that V8 is in no hurry to collect: up to 64 MiB, which the allocator then
 *   keeps. Whenever 8 MiB of them wait, a minor collection (0.4 ms) frees them for the next reads.
 */
class ProcessMemory {
  readonly #collect: Collect;
  #keptBytes = 0;
  #isYoungFixed = false;
  #delayMs = busyMs;
  #last = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | null = null;

  constructor(collect: Collect) {
    this.#collect = collect;
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
    this.#delayMs = isIdle ? Math.min(2 * this.#delayMs, idleMs) : busyMs;
    if (!this.#isYoungFixed) this.#fixYoung();
    this.#relieve(isIdle);
    this.#sleep();
  }

  /** Reads what waits no more often than it must: that is most of the cost of a look. */
  #relieve(isIdle: boolean): void {
    let waitingBytes = arrayBufferBytes();
    this.#keptBytes = Math.min(this.#keptBytes, waitingBytes);
    for (const type of isIdle ? (['minor', 'major'] as const) : (['minor'] as const)) {
      if (waitingBytes - this.#keptBytes < worthBytes) return;
      this.#collect({ type });
      waitingBytes = arrayBufferBytes();
    }
    if (waitingBytes - this.#keptBytes >= worthBytes) this.#keptBytes = waitingBytes;
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
  const memory = new ProcessMemory(runInNewContext('gc') as Collect);
  return () => memory.stop();
}
