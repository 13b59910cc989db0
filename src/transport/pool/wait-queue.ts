import type { ConnectionPermits } from '../../core/contract/cluster.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamSink } from '../../core/contract/stream-end.ts';

/** Streams that wait for a connection, first come first served; each holds a pending permit while it is in here. */
export class WaitQueue implements Iterable<Stream> {
  readonly #streams = new Set<Stream>();
  readonly #permits: ConnectionPermits;
  readonly #sink: StreamSink;

  constructor(permits: ConnectionPermits, sink: StreamSink) {
    this.#permits = permits;
    this.#sink = sink;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** False: the queue is full. */
  tryAdd(s: Stream): boolean {
    if (!this.#permits.tryPending()) return false;
    this.#streams.add(s);
    return true;
  }

  /** Does nothing for a stream that does not wait. */
  remove(s: Stream): void {
    if (this.#streams.delete(s)) this.#permits.releasePending();
  }

  /** Resets every waiting stream; the core may ask this pool again from within. */
  failAll(code: number): void {
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const _ of streams) this.#permits.releasePending();
    for (const s of streams) this.#sink.upstreamReset(s, code);
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }
}
