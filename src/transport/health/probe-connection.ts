import { Code, codeFacts } from '../../core/base/codes.ts';
import { type HostProbe, ProbeResult } from '../../core/contract/health-check.ts';
import type { ByteEngine, Dialer, Wire } from '../../core/contract/wire.ts';

/**
 * The one connection of a probe, dialled when a check needs it. Kinds of checks say what is sent and read the answer.
 *
 *   probe() -> dial or reuse -> send() ... received() -> finish(result, keeps)
 */
export abstract class ProbeConnection implements HostProbe {
  readonly #address: string;
  readonly #dial: Dialer;
  #line: Line | null = null;
  #done: ((result: ProbeResult, reason: string) => void) | null = null;
  /** The connection has served a check before, and nothing of this one's answer came yet. */
  #mayBeStale = false;

  constructor(address: string, dial: Dialer) {
    this.#address = address;
    this.#dial = dial;
  }

  /** Writes what is asked, on a wire that may still be connecting. */
  protected abstract send(wire: Wire): void;
  /** Bytes of the answer; borrowed. */
  abstract received(buf: Buffer, start: number, end: number): void;
  /** The connection is there: enough for some kinds. */
  connected(): void {}

  /** The peer sends no more in the middle of a check. */
  ended(): void {
    this.closed(Code.upstreamClosed);
  }

  get isRunning(): boolean {
    return this.#done !== null;
  }

  probe(done: (result: ProbeResult, reason: string) => void): void {
    this.#done = done;
    this.#mayBeStale = this.#line !== null;
    if (this.#line === null) this.#open();
    else this.send(this.#line.wire);
  }

  cancel(): void {
    if (this.#done !== null) this.close();
  }

  close(): void {
    this.#done = null;
    this.#hangUp();
  }

  /** @param keeps the connection may serve the next check */
  protected finish(result: ProbeResult, reason: string, keeps: boolean): void {
    const done = this.#done;
    this.#done = null;
    if (!keeps) this.#hangUp();
    done?.(result, reason);
  }

  /** @internal By the line. */
  heard(buf: Buffer, start: number, end: number): void {
    this.#mayBeStale = false;
    if (this.isRunning) this.received(buf, start, end);
    // Nobody asked: what comes now would be taken for the answer of the next check.
    else this.#hangUp();
  }

  /** @internal By the line. */
  closed(code: number): void {
    this.#hangUp();
    if (!this.isRunning) return;
    // A host may close a kept connection at any time; that says nothing about the host.
    if (this.#mayBeStale) {
      this.#mayBeStale = false;
      this.#open();
    } else this.finish(ProbeResult.fail, codeFacts[code]?.name ?? 'closed', false);
  }

  /** @internal */
  isCurrent(line: Line): boolean {
    return this.#line === line;
  }

  #open(): void {
    // Without a limit of its own: the timeout of the check drops the wire.
    const line = new Line(this, this.#dial(this.#address, 0));
    this.#line = line;
    line.wire.attach(line);
    if (this.#line === line && this.isRunning) this.send(line.wire);
  }

  #hangUp(): void {
    const line = this.#line;
    this.#line = null;
    line?.wire.destroy(Code.locallyClosed);
  }
}

/** Tells the events of the connection in use from late ones of an earlier connection. */
class Line implements ByteEngine {
  readonly wire: Wire;
  readonly #owner: ProbeConnection;

  constructor(owner: ProbeConnection, wire: Wire) {
    this.#owner = owner;
    this.wire = wire;
  }

  get #isCurrent(): boolean {
    return this.#owner.isCurrent(this);
  }

  onConnect(): void {
    if (this.#isCurrent && this.#owner.isRunning) this.#owner.connected();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isCurrent) this.#owner.heard(buf, start, end);
  }

  onDrain(): void {}

  onEnd(): void {
    if (!this.#isCurrent) return;
    if (this.#owner.isRunning) this.#owner.ended();
    else this.#owner.closed(Code.upstreamClosed);
  }

  onClose(code: number): void {
    if (this.#isCurrent) this.#owner.closed(code === Code.none ? Code.upstreamClosed : code);
  }
}
