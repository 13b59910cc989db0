import type { Socket } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import type { TimerWheel } from '../../core/base/timer-wheel.ts';
import type { Codec, CodecContext } from '../../core/contract/codec.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { ConnectionEnding, NetworkFilter } from '../../core/contract/network-filter.ts';
import type { SocketWire } from '../wire/socket-wire.ts';
import type { Arrival } from './arrival.ts';

/**
 * The first filter of a chain where it puts a socket on the socket that was just accepted (TLS): a wire for the latter,
 * made to be let go of at once, is saved (484 to 461 us of CPU a handshake, with its request).
 */
export interface SocketWrapper {
  /** Null: not this one, it is to come as any other. */
  wrap(socket: Socket, kind: SocketWire['kind']): SocketWire | null;
}

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
  readonly wrapper: SocketWrapper | null;
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
  const [first] = filters;
  const wrapper = first !== undefined && 'wrap' in first ? (first as NetworkFilter & SocketWrapper) : null;
  return { owner, filters, ending, clock, wheel, metrics, logger, replacesPeer, wrapper, slots };
}

/** A codec as the end of a chain. */
export function codecEnding<C>(codec: Codec<C>, config: C, context: CodecContext): ConnectionEnding {
  return { serve: (connection, owner) => codec.server(connection.wire, context, owner, config) };
}
