/** Wires without sockets for measuring what JavaScript alone costs: a write is a count, a read is a call. */
import { HeddleError } from '../../src/core/base/errors.ts';
import type { ByteEngine, DetachedWire, Dialer, Peer, Wire } from '../../src/core/contract/wire.ts';

const peer: Peer = {
  address: '127.0.0.1',
  port: 40_000,
  spiffeId: null,
  certificateSha256: null,
  serverName: null,
};

export class FakeWire implements Wire {
  readonly kind = 'memory' as const;
  readonly peer = peer;
  readonly localAddress = '127.0.0.1:8080';
  readonly highWaterBytes = 65_536;
  readonly pending = 0;
  readonly canDetach = false;
  readonly ownsReads: boolean;
  isConnecting: boolean;
  bytesRead = 0;
  bytesWritten = 0;
  /** Writes since the last `take`. */
  writes = 0;
  /** The last write, for looking at outside the measurement. */
  lastBuf: Buffer | null = null;
  lastStart = 0;
  lastEnd = 0;
  engine: ByteEngine | null = null;
  readonly #onWrite: ((wire: FakeWire) => void) | null;

  /** @param onWrite told of the first write since `take` */
  constructor(role: 'accepted' | 'dialled', onWrite: ((wire: FakeWire) => void) | null = null) {
    this.ownsReads = role === 'accepted';
    this.isConnecting = role === 'dialled';
    this.#onWrite = onWrite;
  }

  attach(engine: ByteEngine): void {
    this.engine = engine;
  }

  write(buf: Buffer, start: number, end: number): boolean {
    this.bytesWritten += end - start;
    this.lastBuf = buf;
    this.lastStart = start;
    this.lastEnd = end;
    if (this.writes++ === 0 && this.#onWrite !== null) this.#onWrite(this);
    return true;
  }

  /** Bytes from the other side. */
  receive(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.engine?.onBytes(bytes, 0, bytes.length);
  }

  established(): void {
    if (!this.isConnecting) return;
    this.isConnecting = false;
    this.engine?.onConnect?.();
  }

  /** Whether anything was written since the last call. */
  take(): boolean {
    const wrote = this.writes > 0;
    this.writes = 0;
    return wrote;
  }

  get lastText(): string {
    return this.lastBuf?.toString('latin1', this.lastStart, this.lastEnd) ?? '';
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.destroy(0);
  }

  destroy(code: number): void {
    throw new Error(`a connection was closed in the middle of a measurement, code ${code}`);
  }

  detach(): DetachedWire {
    throw new HeddleError('ERR_BUG', 'a fake wire cannot be moved');
  }
}

/** The other side of all dialled connections: answers what was written to them, in order, when told. */
export class FakeBackend {
  #asked: FakeWire[] = [];
  #spare: FakeWire[] = [];
  dialled = 0;
  readonly #answer: Buffer;
  readonly #onWrite = (wire: FakeWire): void => {
    this.#asked.push(wire);
  };

  constructor(answer: Buffer) {
    this.#answer = answer;
  }

  readonly dial: Dialer = () => {
    this.dialled++;
    return new FakeWire('dialled', this.#onWrite);
  };

  /** Answers every connection that was written to. @returns how many */
  answerAll(): number {
    const asked = this.#asked;
    this.#asked = this.#spare;
    this.#spare = asked;
    for (let i = 0; i < asked.length; i++) {
      const wire = asked[i] as FakeWire;
      wire.take();
      wire.established();
      wire.receive(this.#answer);
    }
    const count = asked.length;
    asked.length = 0;
    return count;
  }
}
