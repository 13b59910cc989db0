/**
 * A wire is one accepted or dialled byte connection. Layers (TLS, PROXY protocol, taps, faults, the in-memory wire
 * of the tests) are wires on wires; codecs see only this.
 *
 *   codec (ByteEngine)      onBytes  onDrain  onEnd  onClose
 *        |  ^                  ^
 *   write|  |                  |
 *        v  |                  |
 *   Wire  own write queue -> socket (fed below its high-water mark only, so that a hand-over can reach 0 unsent bytes)
 */
export interface Wire {
  readonly kind: 'tcp' | 'unix' | 'tls' | 'memory' | 'port';
  readonly peer: Peer;
  readonly localAddress: string;
  /** Bytes given to `onBytes` stay valid afterwards; false: they are overwritten once it returns. */
  readonly ownsReads: boolean;
  /** Bytes accepted by `write` that the kernel (or the other end) has not taken yet. 0 right after a write: all gone. */
  readonly pending: number;
  readonly highWaterBytes: number;
  readonly isConnecting: boolean;
  /** Totals since the wire was made, for metrics and logs. */
  readonly bytesRead: number;
  readonly bytesWritten: number;

  /** Delivers to `engine` from now on. Bytes that were read before arrive first. A second call replaces the engine. */
  attach(engine: ByteEngine): void;
  /**
   * Takes over `buf[start, end)`; the caller does not change those bytes while `pending` counts them.
   * @returns false when `pending` is above `highWaterBytes`: stop until `onDrain`.
   */
  write(buf: Buffer, start: number, end: number): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is pending, then FIN; reading goes on until the peer ends or `destroy`. */
  end(): void;
  /** Drops the connection now. `onClose(code)` follows, once, on a later turn or at once; never twice. */
  destroy(code: number): void;
  /** As `destroy`, and the peer sees a reset (RST) instead of an orderly end, where the platform can send one. */
  reset?(code: number): void;
  /**
   * Lets go of the connection without closing it: no event reaches the engine afterwards.
   * @throws HeddleError ERR_BUG when `pending` is not 0 or the wire cannot be moved (`canDetach`)
   */
  detach(): DetachedWire;
  readonly canDetach: boolean;
}

export interface DetachedWire {
  /** What the platform can pass on: a net.Socket, a memory end. Typed by who made it. */
  readonly handle: unknown;
  /** Bytes that were read but not given to an engine. */
  readonly unread: Buffer;
  /** Versioned plain data of the layers (TLS secrets, PROXY header); null when there is none. */
  readonly state: WireState | null;
}

export interface WireState {
  readonly kind: string;
  readonly version: number;
  readonly data: unknown;
}

/** Who is at the other end. TLS fills in the certificate facts. */
export interface Peer {
  /** IP without port, or "unix". */
  readonly address: string;
  readonly port: number;
  /** The port of ours that it came to; 0 or absent: not known. */
  readonly localPort?: number;
  /** The first URI SAN `spiffe://...` of a verified certificate. */
  readonly spiffeId: string | null;
  /** SHA-256 fingerprint of a verified certificate. */
  readonly certificateSha256: string | null;
  /** Server name of the TLS hello. */
  readonly serverName: string | null;
}

/** The byte half of a codec. All calls come from the wire, never re-entrantly from inside `write`. */
export interface ByteEngine {
  /** A dialled wire is established; what was written before leaves after this call. Optional: only pools care. */
  onConnect?(): void;
  /** Bytes `buf[start, end)`: borrowed until it returns unless `wire.ownsReads`. */
  onBytes(buf: Buffer, start: number, end: number): void;
  /** `pending` fell to 0 after a `write` returned false. */
  onDrain(): void;
  /** The peer will send no more (FIN). Writing still works. */
  onEnd(): void;
  /** The wire is gone; `code` is a Code. Exactly once, the last call. */
  onClose(code: number): void;
}

/** Dials. Sync: a wire that is still connecting queues what is written; failure arrives as `onClose(connectFailure)`. */
export type Dialer = (address: string, connectTimeoutMs: number) => Wire;
