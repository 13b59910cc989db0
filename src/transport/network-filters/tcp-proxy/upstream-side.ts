import type { ByteEngine, Wire } from '../../../core/contract/wire.ts';
import type { TcpTunnel } from './tunnel.ts';

/** The host's end of a tunnel as a byte engine; one for each try. */
export class UpstreamSide implements ByteEngine {
  readonly #tunnel: TcpTunnel;
  readonly #wire: Wire;

  constructor(tunnel: TcpTunnel, wire: Wire) {
    this.#tunnel = tunnel;
    this.#wire = wire;
  }

  onConnect(): void {
    this.#tunnel.connected(this.#wire);
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.#tunnel.upBytes(buf, start, end);
  }

  onDrain(): void {
    this.#tunnel.upDrain();
  }

  onEnd(): void {
    this.#tunnel.upEnd();
  }

  onClose(code: number): void {
    this.#tunnel.upClosed(code);
  }
}
