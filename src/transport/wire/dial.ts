import { connect, Socket } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import { Code } from '../../core/base/codes.ts';
import { type TimerWheel, WheelNode } from '../../core/base/timer-wheel.ts';
import type { Dialer, Wire } from '../../core/contract/wire.ts';
import { parseAddress, type SocketAddress } from './address.ts';
import { onSharedRead } from './socket-events.ts';
import { SocketWire } from './socket-wire.ts';

const readBytes = 64 * 1024;

/** Ends a connect that takes too long; disarmed by the connect or the close. */
class ConnectTimer extends WheelNode {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }

  onDeadline(): void {
    this.#wire.destroy(Code.connectTimeout);
  }
}

/**
 * Dials TCP and unix sockets. All of one dialer's sockets read into one 64 KiB buffer (public `onread`): safe because
 * bytes are borrowed until `onBytes` returns, and 0.5 to 1 us a read cheaper than a Buffer each.
 */
export function createDialer(clock: Clock, wheel: TimerWheel): Dialer {
  let shared: Buffer | null = null;
  return (address, connectTimeoutMs) => {
    const target = readAddress(address);
    if (target instanceof Error) return failedWire(target);
    shared ??= Buffer.allocUnsafeSlow(readBytes);
    const place = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const socket: Socket = connect({
      ...place,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      onread: {
        buffer: shared,
        callback: (sizeBytes: number, buf: Uint8Array) => onSharedRead(socket, sizeBytes, buf as Buffer),
      },
    });
    const wire = new SocketWire(socket, target.kind, 'dialled');
    if (connectTimeoutMs > 0)
      armConnect(socket, new ConnectTimer(wire), wheel, clock.now() + connectTimeoutMs);
    return wire;
  };
}

/** The data path expects values, not throws: an address that nobody can read is a connect that fails. */
export function readAddress(address: string): SocketAddress | Error {
  try {
    return parseAddress(address);
  } catch (error) {
    return error as Error;
  }
}

export function failedWire(error: Error): Wire {
  const socket = new Socket();
  const wire = new SocketWire(socket, 'tcp', 'dialled');
  socket.destroy(error);
  return wire;
}

function armConnect(socket: Socket, timer: ConnectTimer, wheel: TimerWheel, deadlineMs: number): void {
  const disarm = (): void => {
    wheel.disarm(timer);
    socket.off('connect', disarm);
    socket.off('close', disarm);
  };
  wheel.arm(timer, deadlineMs);
  socket.on('connect', disarm);
  socket.on('close', disarm);
}
