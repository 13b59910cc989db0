import { type Codec, Match } from '../../core/contract/codec.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import {
  Admission,
  type ArrivingConnection,
  type ConnectionEnding,
  type NetworkFilter,
} from '../../core/contract/network-filter.ts';
import type { DetectConfig } from './index.ts';

/** A codec to choose from, with what takes a connection over in its name. */
export interface Candidate {
  readonly codec: Codec;
  readonly ending: ConnectionEnding;
}

/**
 * Asks each candidate for the first bytes. One that says yes gets the connection, unless one that is asked before it
 * may still do so. Where all say no, or bytes or time run out, it goes on to what the chain ends in.
 */
export class Detector implements NetworkFilter {
  readonly maxFirstBytes: number;
  readonly firstBytesTimeoutMs: number;
  readonly #candidates: readonly Candidate[];
  readonly #hasFallback: boolean;
  readonly #metrics: Metrics;
  readonly #counters: readonly number[];
  readonly #unknown: number;

  /** @param hasFallback the chain's own ending takes what nobody knows */
  constructor(
    config: Pick<DetectConfig, 'maxBytes' | 'timeoutMs'>,
    candidates: readonly Candidate[],
    hasFallback: boolean,
    listener: string,
    metrics: Metrics,
  ) {
    this.maxFirstBytes = config.maxBytes;
    this.firstBytesTimeoutMs = config.timeoutMs;
    this.#candidates = candidates;
    this.#hasFallback = hasFallback;
    this.#metrics = metrics;
    const counter = (codec: string): number =>
      metrics.counter('heddle_listener_detected_total', { listener, codec });
    this.#counters = candidates.map(({ codec }) => counter(codec.name));
    this.#unknown = counter('unknown');
  }

  admit(connection: ArrivingConnection): Admission {
    const { buf, start, end, isFinal } = connection;
    const agreed = connection.facts?.get('tls.alpn');
    if (agreed !== undefined && this.#takeAgreed(agreed, connection)) return Admission.pass;
    if (end > start) {
      for (const [index, { codec, ending }] of this.#candidates.entries()) {
        const match = codec.match(buf, start, end);
        if (match === Match.more && !isFinal) return Admission.more;
        if (match !== Match.yes) continue;
        this.#count(this.#counters[index] as number);
        connection.ending = ending;
        return Admission.pass;
      }
    } else if (!isFinal) return Admission.more;
    this.#count(this.#unknown);
    return this.#hasFallback ? Admission.pass : Admission.close;
  }

  /** What client and server agreed on in their TLS handshake needs no look at the bytes. */
  #takeAgreed(protocol: string, connection: ArrivingConnection): boolean {
    const index = this.#candidates.findIndex(({ codec }) => codec.alpn?.includes(protocol));
    const candidate = this.#candidates[index];
    if (candidate === undefined) return false;
    this.#count(this.#counters[index] as number);
    connection.ending = candidate.ending;
    return true;
  }

  #count(slot: number): void {
    this.#metrics.values[slot] = (this.#metrics.values[slot] as number) + 1;
  }
}
