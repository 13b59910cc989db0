import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecState, ServerConnection, ServerOwner } from '../../../core/contract/codec.ts';
import type { ByteEngine, Wire } from '../../../core/contract/wire.ts';
import type { Dialling } from './dialling.ts';
import type { Introduced, TcpProxyFilter } from './filter.ts';
import type { TcpRecord } from './log.ts';
import { pass } from './pass.ts';
import { add } from './slots.ts';
import { UpstreamSide } from './upstream-side.ts';

/**
 * How long a client may go on sending after its upstream is gone, while the last answer bytes leave. Closing at once
 * would let a reset overtake them (RFC 9293 §3.10.7.4; the "lingering close" of HTTP servers).
 */
const lingerMs = 2000;

/**
 * A client's connection and the one to a host, byte for byte.
 *
 *   connecting --connected--> open --FIN of one side--> half-closed --FIN of the other--> settled
 *        \--no host left--> reset      \--reset of one side--> the other is reset
 *
 * Reading stops where writing is full, so a connection holds at most the write queues' high-water mark and one read in
 * each direction. The client is not read before a host is reached: nothing has to be kept for another try.
 */
export class TcpTunnel extends WheelNode implements ServerConnection, ByteEngine {
  readonly wire: Wire;
  readonly active = 1;
  readonly #filter: TcpProxyFilter;
  readonly #owner: ServerOwner;
  readonly #dialling: Dialling | null;
  readonly #client: Introduced;
  readonly #startMs: number;
  readonly #startWallMs: number;
  #up: Wire | null = null;
  #isOpen = false;
  #downEnded = false;
  #upEnded = false;
  #downClosed = false;
  #isSettled = false;
  #host = '-';
  #code: number = Code.none;
  #heldTurn = 0;
  #received = 0;
  #sent = 0;

  /** @param dialling null: no cluster takes it, it is closed */
  constructor(filter: TcpProxyFilter, owner: ServerOwner, dialling: Dialling | null, client: Introduced) {
    super();
    const { wire } = client;
    this.wire = wire;
    this.#client = client;
    this.#filter = filter;
    this.#owner = owner;
    this.#dialling = dialling;
    const { clock } = filter.context;
    this.#startMs = clock.now();
    this.#startWallMs = clock.wallNow();
    wire.pause();
    wire.attach(this);
    add(filter.context.metrics, filter.slots.connections, 1);
    add(filter.context.metrics, filter.slots.active, 1);
  }

  /** Dials. @param noTarget why there is no cluster to dial */
  begin(noTarget: number): void {
    if (this.#dialling === null) this.#refuse(noTarget);
    else this.#dial(this.#dialling);
  }

  /** A byte stream has no message at whose end it could stop: it goes on until the drain's deadline. */
  drain(): void {}

  isIdle(): boolean {
    return false;
  }

  exportState(): CodecState | null {
    return null;
  }

  importState(): void {
    throw new HeddleError('ERR_BUG', 'a tcp-proxy connection has no state to import');
  }

  // The client's side.

  onBytes(buf: Buffer, start: number, end: number): void {
    const up = this.#up;
    if (up === null) return;
    this.#received += end - start;
    this.#moved(this.#filter.slots.received, end - start);
    this.#pass(this.wire, up, buf, start, end);
  }

  onDrain(): void {
    this.#up?.resume();
  }

  onEnd(): void {
    this.#flush();
    this.#downEnded = true;
    this.#up?.end();
  }

  onClose(code: number): void {
    this.#flush();
    this.#downClosed = true;
    if (!this.#isDone) this.#note(code);
    const up = this.#up ?? this.#dialling?.current?.wire ?? null;
    if (up === null) this.#settle();
    else if (!this.#isDone) reset(up, Code.downstreamClosed);
  }

  // The host's side.

  connected(up: Wire): void {
    this.#up = up;
    this.#isOpen = true;
    this.#dialling?.connected();
    const { idleTimeoutMs, context } = this.#filter;
    if (idleTimeoutMs > 0) context.codec.wheel.arm(this, context.clock.now() + idleTimeoutMs);
    this.wire.resume();
  }

  upBytes(buf: Buffer, start: number, end: number): void {
    this.#sent += end - start;
    this.#moved(this.#filter.slots.sent, end - start);
    this.#pass(this.#up as Wire, this.wire, buf, start, end);
  }

  upDrain(): void {
    if (!this.#downClosed) this.wire.resume();
  }

  upEnd(): void {
    this.#flush();
    this.#upEnded = true;
    this.wire.end();
  }

  upClosed(code: number): void {
    this.#flush();
    this.#up = null;
    if (!this.#isOpen) {
      this.#connectFailed(code);
      return;
    }
    this.#dialling?.release();
    if (this.#downClosed) {
      this.#settle();
    } else if (!this.#isDone) {
      this.#note(code);
      if (this.#upEnded || this.wire.pending > 0) this.#linger();
      else reset(this.wire, code);
    }
  }

  onDeadline(): void {
    const { context, slots } = this.#filter;
    if (this.#up !== null) {
      add(context.metrics, slots.idleTimeouts, 1);
      this.#note(Code.streamIdle);
      this.#up.destroy(Code.streamIdle);
    }
    this.wire.destroy(Code.streamIdle);
  }

  #pass(source: Wire, target: Wire, buf: Buffer, start: number, end: number): void {
    const { writes } = this.#filter.context.codec;
    this.#heldTurn = writes.turn;
    pass(writes, source, target, buf, start, end);
  }

  /** What this turn still holds of ours goes before an end or a close. */
  #flush(): void {
    const { writes } = this.#filter.context.codec;
    if (this.#heldTurn === writes.turn) writes.flush();
  }

  #dial(dialling: Dialling): void {
    const attempt = dialling.next();
    if (typeof attempt === 'number') {
      this.#refuse(this.#code === Code.none ? attempt : this.#code);
      return;
    }
    this.#host = attempt.host.address;
    attempt.wire.attach(new UpstreamSide(this, attempt.wire));
    this.#filter.introduce(attempt.wire, this.#client, dialling.proxyProtocol);
  }

  #connectFailed(code: number): void {
    const { context, slots } = this.#filter;
    const dialling = this.#dialling as Dialling;
    if (this.#downClosed) {
      this.#settle();
      return;
    }
    add(context.metrics, slots.connectFailures, 1);
    this.#note(code);
    if (!dialling.failed(code)) {
      this.#refuse(code);
      return;
    }
    add(context.metrics, slots.connectRetries, 1);
    this.#dial(dialling);
  }

  /** An orderly end would read as an empty answer: the client is told by a reset. */
  #refuse(code: number): void {
    this.#note(code);
    reset(this.wire, code);
  }

  /** What the client still sends is read and dropped until it ends or the time is up. */
  #linger(): void {
    this.wire.end();
    this.wire.resume();
    const { clock, codec } = this.#filter.context;
    codec.wheel.disarm(this);
    codec.wheel.arm(this, clock.now() + lingerMs);
  }

  get #isDone(): boolean {
    return this.#downEnded && this.#upEnded;
  }

  #note(code: number): void {
    if (this.#code === Code.none || !this.#isOpen) this.#code = code;
  }

  #moved(slot: number, sizeBytes: number): void {
    const { idleTimeoutMs, context } = this.#filter;
    add(context.metrics, slot, sizeBytes);
    // One store: the wheel looks again when the node's old slot comes round.
    if (idleTimeoutMs > 0) this.deadlineMs = context.clock.now() + idleTimeoutMs;
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { context, slots } = this.#filter;
    context.codec.wheel.disarm(this);
    this.#dialling?.end();
    add(context.metrics, slots.active, -1);
    // A connection that failed before it opened has the reason of its last try.
    const code = this.#isOpen || this.#code !== Code.none ? this.#code : Code.downstreamClosed;
    if (code !== Code.none) add(context.metrics, slots.resets, 1);
    this.#filter.log(this.#record(code));
    this.#owner.closed(this);
  }

  #record(code: number): TcpRecord {
    return {
      startWallMs: this.#startWallMs,
      durationMs: this.#filter.context.clock.now() - this.#startMs,
      peer: this.wire.peer,
      destination: this.#client.destination,
      cluster: this.#dialling?.cluster.name ?? '-',
      host: this.#host,
      received: this.#received,
      sent: this.#sent,
      attempts: this.#dialling?.attempts ?? 0,
      code,
    };
  }
}

function reset(wire: Wire, code: number): void {
  if (wire.reset === undefined) wire.destroy(code);
  else wire.reset(code);
}
