import { Code } from '../core/base/codes.ts';
import { MemoryWire, type MemoryWireOptions } from './memory-wire.ts';

export type MemorySide = 'accepted' | 'dialled';

export interface MemoryLinkOptions {
  /** Bytes given to `onBytes` at a time: a number, or a size for each delivery in turn (the last one repeats). */
  readonly split?: number | readonly number[];
  /** Bytes that the "kernel" takes from a writer before it makes him wait; Infinity takes all at once. */
  readonly capacityBytes?: number;
  /** False: reads are borrowed and poisoned afterwards (true). */
  readonly ownsReads?: boolean;
  /** 64 KiB. */
  readonly highWaterBytes?: number;
  /** The dialled side starts out connecting; `link.connect()` or `link.refuse()` decides (false). */
  readonly isConnecting?: boolean;
}

/**
 * One direction's end of a link.
 *
 *   write -> queue (views, still the writer's) -> wire (copied, at most `capacityBytes`) -> the other end's onBytes
 */
export class MemoryPort {
  readonly side: MemorySide;
  wire: MemoryWire | null = null;
  /** Everything this end has sent, in order: the bytes on the wire. */
  readonly sent: Buffer[] = [];
  peerEnded = false;
  other: MemoryPort | null = null;
  readonly #capacityBytes: number;
  #queue: Buffer[] = [];
  queuedBytes = 0;
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;

  constructor(side: MemorySide, capacityBytes: number) {
    this.side = side;
    this.#capacityBytes = capacityBytes;
  }

  /** Bytes on their way to this end. */
  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  accept(buf: Buffer, start: number, end: number, isHeld: boolean): void {
    if (start === end) return;
    // A view, not a copy: whoever reuses these bytes while they are pending corrupts the stream and the test sees it.
    this.#queue.push(buf.subarray(start, end));
    this.queuedBytes += end - start;
    if (!isHeld) this.transmit();
  }

  /** Moves bytes from the writer's views to the wire while it has room. */
  transmit(): boolean {
    let moved = false;
    const target = this.other as MemoryPort;
    while (this.#queue.length > 0 && target.#arrivedBytes < this.#capacityBytes) {
      const view = this.#queue[0] as Buffer;
      const count = Math.min(view.length, this.#capacityBytes - target.#arrivedBytes);
      const bytes = Buffer.from(view.subarray(0, count));
      this.sent.push(bytes);
      target.#arrived.push(bytes);
      target.#arrivedBytes += count;
      this.queuedBytes -= count;
      if (count === view.length) this.#queue.shift();
      else this.#queue[0] = view.subarray(count);
      moved = true;
    }
    return moved;
  }

  /** The next bytes for this end, at most `maxBytes`. */
  take(maxBytes: number): Buffer {
    const first = this.#arrived[0] as Buffer;
    const bytes = this.#arrived.length === 1 ? first : Buffer.concat(this.#arrived);
    const count = Math.min(maxBytes, bytes.length);
    this.#arrived = count === bytes.length ? [] : [bytes.subarray(count)];
    this.#arrivedBytes -= count;
    return bytes.subarray(0, count);
  }

  takeArrived(): Buffer {
    return this.#arrivedBytes === 0 ? Buffer.alloc(0) : this.take(this.#arrivedBytes);
  }

  /** Puts bytes in front of those on their way (unread bytes of a moved wire). */
  putBack(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#arrived.unshift(bytes);
    this.#arrivedBytes += bytes.length;
  }

  dropQueue(): void {
    this.#queue = [];
    this.queuedBytes = 0;
  }

  dropArrived(): void {
    this.#arrived = [];
    this.#arrivedBytes = 0;
  }
}

/**
 * Two wires joined in memory, moved by hand: nothing is delivered but by `turn` and `settle`, so a test decides when
 * bytes arrive, in which pieces, and what happens in between.
 */
export class MemoryLink {
  readonly accepted: MemoryWire;
  readonly dialled: MemoryWire;
  readonly #options: MemoryLinkOptions;
  readonly #wireOptions: MemoryWireOptions;
  readonly #ports: readonly [MemoryPort, MemoryPort];
  #deliveries = 0;

  constructor(options: MemoryLinkOptions = {}) {
    const capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.#options = options;
    this.#wireOptions = {
      ownsReads: options.ownsReads ?? true,
      highWaterBytes: options.highWaterBytes ?? 64 * 1024,
    };
    const near = new MemoryPort('accepted', capacityBytes);
    const far = new MemoryPort('dialled', capacityBytes);
    near.other = far;
    far.other = near;
    this.#ports = [near, far];
    this.accepted = new MemoryWire(near, this.#wireOptions);
    this.dialled = new MemoryWire(far, this.#wireOptions, options.isConnecting ?? false);
  }

  /** Everything that side has sent so far. */
  sentBy(side: MemorySide): Buffer {
    return Buffer.concat(this.#port(side).sent);
  }

  /** The wire that stands at that side now: another one after a move. */
  wireOf(side: MemorySide): MemoryWire | null {
    return this.#port(side).wire;
  }

  connect(): void {
    this.dialled.connect();
  }

  refuse(code: number = Code.connectFailure): void {
    this.dialled.close(code);
    this.accepted.close(Code.downstreamClosed);
  }

  /** The connection breaks: what is on its way is lost, both ends close (TCP RST). */
  reset(): void {
    for (const port of this.#ports) {
      port.dropArrived();
      port.wire?.close(resetCode(port.side));
    }
  }

  /** Takes the wire of `side` off and puts a new one in its place, as a move to another process does. */
  move(side: MemorySide): { wire: MemoryWire; unread: Buffer } {
    const port = this.#port(side);
    const { unread } = (port.wire as MemoryWire).detach();
    return { wire: new MemoryWire(port, this.#wireOptions), unread };
  }

  /** One delivery to each side at most, then drains and closes. False: nothing was left to do. */
  turn(): boolean {
    let isBusy = false;
    for (const port of this.#ports) isBusy = this.#deliverTo(port) || isBusy;
    for (const port of this.#ports) {
      isBusy = (!port.wire?.isConnecting && port.transmit()) || isBusy;
      port.wire?.drainIfEmpty();
    }
    for (const port of this.#ports) isBusy = this.#finish(port) || isBusy;
    return isBusy;
  }

  /** Turns until nothing moves. @throws Error when it never ends */
  settle(maxTurns = 1_000_000): void {
    for (let i = 0; i < maxTurns; i++) if (!this.turn()) return;
    throw new Error(`the link still moves after ${maxTurns} turns`);
  }

  #port(side: MemorySide): MemoryPort {
    return side === 'accepted' ? this.#ports[0] : this.#ports[1];
  }

  #deliverTo(port: MemoryPort): boolean {
    const wire = port.wire;
    if (wire === null || !wire.takesBytes || port.arrivedBytes === 0) return false;
    wire.deliver(port.take(this.#nextSize()));
    return true;
  }

  #nextSize(): number {
    const split = this.#options.split;
    if (split === undefined) return Number.POSITIVE_INFINITY;
    if (typeof split === 'number') return Math.max(1, split);
    const size = split[Math.min(this.#deliveries++, split.length - 1)];
    return size === undefined ? Number.POSITIVE_INFINITY : Math.max(1, size);
  }

  /** FIN and close, once the bytes before them have arrived. */
  #finish(port: MemoryPort): boolean {
    const wire = port.wire;
    const peer = (port.other as MemoryPort).wire;
    if (wire === null) return false;
    if (wire.announceClose()) return true;
    if (wire.isClosed || peer === null) return false;
    const isPeerDone = (peer.isEnded && peer.pending === 0) || peer.isClosed;
    if (!isPeerDone || port.arrivedBytes > 0) return false;
    if (!port.peerEnded) {
      // As with a socket: who does not read does not see the FIN.
      if (!wire.takesBytes) return false;
      port.peerEnded = true;
      wire.peerEnd();
      return true;
    }
    if (wire.isEnded && wire.pending === 0) {
      wire.close(endCode(port.side));
      return true;
    }
    // Writing to an end that is gone is answered by RST.
    if (peer.isClosed && (port.other as MemoryPort).arrivedBytes > 0) {
      wire.close(resetCode(port.side));
      return true;
    }
    return false;
  }
}

function resetCode(side: MemorySide): number {
  return side === 'accepted' ? Code.downstreamClosed : Code.upstreamReset;
}

function endCode(side: MemorySide): number {
  return side === 'accepted' ? Code.downstreamClosed : Code.upstreamClosed;
}
