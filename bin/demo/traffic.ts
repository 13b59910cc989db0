/** What one way into the mesh has seen. */
export interface TrafficCounts {
  calls: number;
  lost: number;
  /** Why the first lost call was lost. */
  firstLoss: string;
  /** Calls a host answered. */
  readonly hosts: Map<string, number>;
  /** Milliseconds of the latest calls, a ring. */
  readonly durations: number[];
}

const pauseMs = 4;
const keptDurations = 4096;

/** Calls in a few closed loops until told to stop. Every answer is checked; anything but a right one is a lost call. */
export class Traffic {
  readonly name: string;
  readonly counts: TrafficCounts = { calls: 0, lost: 0, firstLoss: '', hosts: new Map(), durations: [] };
  readonly #call: (path: string) => Promise<{ status: number; text: string }>;
  #isStopped = false;
  readonly #loops: Promise<void>[] = [];

  constructor(name: string, call: (path: string) => Promise<{ status: number; text: string }>) {
    this.name = name;
    this.#call = call;
  }

  start(loops: number): void {
    for (let i = 0; i < loops; i++) this.#loops.push(this.#run());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  quantile(quantile: number): number {
    const sorted = this.counts.durations.filter(Number.isFinite).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#one();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #one(): Promise<void> {
    const { counts } = this;
    const path = `/users/${++counts.calls}`;
    const start = performance.now();
    try {
      const { status, text } = await this.#call(path);
      const answer = JSON.parse(text) as { instance: string; path: string };
      if (status !== 200 || answer.path !== path) throw new Error(`status ${status}: ${text.slice(0, 100)}`);
      counts.hosts.set(answer.instance, (counts.hosts.get(answer.instance) ?? 0) + 1);
      counts.durations[counts.calls % keptDurations] = performance.now() - start;
    } catch (thrown) {
      counts.lost++;
      counts.firstLoss ||= thrown instanceof Error ? thrown.message : String(thrown);
    }
  }
}
