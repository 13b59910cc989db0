/**
 * How a monitor learns of the streams of a mesh, without either knowing the other.
 *
 *   monitor --publish(collector)--> channel `heddle:monitor:streams` --> mesh: collector.add(stream) for each
 */

/** What a mesh tells of one stream that has not ended. */
export interface PendingStream {
  readonly route: string;
  readonly upstream: string;
  /** A phase of the life of a request, e.g. `awaitUpstream`. */
  readonly phase: string;
  readonly ageMs: number;
}

/**
 * The channel on which a monitor asks; whoever has streams subscribes and calls `add` for each, synchronously.
 * The monitor and the mesh know nothing else of each other.
 */
export const streamsChannel = 'heddle:monitor:streams';

export interface StreamCollector {
  add(stream: PendingStream): void;
}
