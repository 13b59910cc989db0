import { readFile } from 'node:fs/promises';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { Capture } from '../core/contract/sink.ts';
import type { Monitor } from './monitor.ts';

interface PulledKind {
  readonly kind: string;
  readonly what: string;
  readonly defaultSeconds: number;
}

/** Go's names of profiles, so that Parca, Pyroscope and `go tool pprof URL` can pull them. */
const kinds: Readonly<Record<string, PulledKind>> = {
  profile: { kind: 'cpu', what: 'CPU time of the main thread', defaultSeconds: 10 },
  heap: { kind: 'heap', what: 'the heap in use', defaultSeconds: 0 },
  allocs: { kind: 'allocations', what: 'what is allocated', defaultSeconds: 10 },
  goroutine: { kind: 'pending', what: 'async work that waits', defaultSeconds: 2 },
};
export const profileNames: readonly string[] = Object.keys(kinds);
/** Name and subject of each, for those who list them. */
export const profileSubjects = Object.entries(kinds).map(([name, { what }]) => ({ name, what }));
const maxSeconds = 60;
/** Pullers ask for all kinds at once: so many wait for their turn. */
const maxWaiting = 8;

export interface Pulled {
  /** As in HTTP. */
  readonly status: number;
  /** A gzipped pprof file, or a sentence. */
  readonly body: string | Uint8Array;
  readonly isProfile: boolean;
}

/** Takes profiles for those who pull them, one after the other: eight wait, one more gets 429. */
export class ProfilePuller {
  readonly #monitor: Pick<Monitor, 'capture'>;
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(monitor: Pick<Monitor, 'capture'>) {
    this.#monitor = monitor;
  }

  /**
   * @param name one of `profileNames`
   * @param query `seconds` (0 to 60) is how long to sample
   * @param isGone who gave up while others were served gets no profile taken
   */
  async pull(name: string, query: URLSearchParams, isGone: () => boolean = () => false): Promise<Pulled> {
    const wanted = kinds[name];
    if (wanted === undefined) return said(404, `no such profile; there are ${profileNames.join(', ')}`);
    const seconds = Number(query.get('seconds') ?? wanted.defaultSeconds);
    if (!(seconds >= 0 && seconds <= maxSeconds)) return said(400, `seconds must be 0 to ${maxSeconds}`);
    if (this.#waiting >= maxWaiting) return said(429, `${maxWaiting} profiles are waited for already`);
    this.#waiting++;
    const mine = this.#turn.then(() =>
      isGone() ? said(499, 'nobody waits for it') : this.#take(name, wanted, seconds),
    );
    this.#turn = mine.finally(() => void this.#waiting--).catch(() => undefined);
    return mine;
  }

  async #take(name: string, { kind }: PulledKind, seconds: number): Promise<Pulled> {
    try {
      const capture = await this.#monitor.capture({
        kinds: [kind],
        durationMs: Math.max(100, seconds * 1000),
        reason: `GET /debug/pprof/${name}`,
        transient: true,
      });
      const path = pathOf(capture, kind);
      return path === undefined
        ? said(500, `no ${name} could be taken`)
        : { status: 200, body: await readFile(path), isProfile: true };
    } catch (error) {
      const isOver = error instanceof HeddleError && error.code === 'ERR_MONITOR_STOPPED';
      return said(isOver ? 503 : 500, messageOf(error));
    }
  }
}

const pathOf = ({ files }: Capture, kind: string): string | undefined =>
  files.find((file) => file.kind === kind && file.format === 'pprof' && file.threadId === 0)?.path;

const said = (status: number, text: string): Pulled => ({ status, body: `${text}\n`, isProfile: false });
