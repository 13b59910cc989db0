import type { Clock } from '../../core/base/clock.ts';
import type { TimerWheel } from '../../core/base/timer-wheel.ts';
import type { Codec, CodecContext } from '../../core/contract/codec.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { ConnectionEnding, NetworkFilter } from '../../core/contract/network-filter.ts';
import type { Arrival } from './arrival.ts';

/** What each connection of a listener goes through; swapped whole by a reload. */
export interface NetworkChain {
  /** Listener name. */
  readonly owner: string;
  readonly filters: readonly NetworkFilter[];
  readonly ending: ConnectionEnding;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The peer of the socket may be a proxy: limits by source wait for the filters. */
  readonly replacesPeer: boolean;
  readonly slots: { readonly refused: number; readonly undecided: number };
}

/** The listener, as connections on their way see it. */
export interface ArrivalOwner {
  /** Let in: serves `arrival.wire`. @returns false when the listener did not take it */
  arrived(arrival: Arrival): boolean;
  /** Refused, gone or too slow. */
  left(arrival: Arrival, code: number): void;
}

export function createChain(
  owner: string,
  filters: readonly NetworkFilter[],
  ending: ConnectionEnding,
  context: CodecContext,
  logger: Logger,
): NetworkChain {
  const { clock, wheel, metrics } = context;
  const counter = (reason: string): number =>
    metrics.counter('heddle_listener_connections_rejected_total', { listener: owner, reason });
  const slots = { refused: counter('network_filter'), undecided: counter('undecided') };
  const replacesPeer = filters.some((each) => each.replacesPeer === true);
  return { owner, filters, ending, clock, wheel, metrics, logger, replacesPeer, slots };
}

/** A codec as the end of a chain. */
export function codecEnding<C>(codec: Codec<C>, config: C, context: CodecContext): ConnectionEnding {
  return { serve: (connection, owner) => codec.server(connection.wire, context, owner, config) };
}
