import { Code } from '../../core/base/codes.ts';
import { messageOf } from '../../core/base/errors.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import {
  Admission,
  type ArrivingConnection,
  type ConnectionEnding,
  type NetworkFilter,
} from '../../core/contract/network-filter.ts';
import type { ByteEngine, Peer, Wire } from '../../core/contract/wire.ts';
import { PeekedWire } from '../wire/peeked-wire.ts';
import type { ArrivalOwner, NetworkChain } from './chain.ts';

const nothing: Buffer = Buffer.alloc(0);
const firstRoomBytes = 512;
const defaultTimeoutMs = 10_000;

/**
 * One connection on its way through a chain. It holds what was read, asks each filter in turn, and ends in
 * `owner.arrived` or `owner.left`, exactly one of them, once.
 */
export class Arrival extends WheelNode implements ArrivingConnection, ByteEngine {
  /** The socket, below all layers. */
  socket: Wire;
  wire: Wire;
  peer: Peer;
  #destination: string | null = null;
  buf: Buffer = nothing;
  start = 0;
  end = 0;
  isFinal = false;
  facts: Map<string, string> | null = null;
  /** Who takes it over; a filter may choose another. */
  ending: ConnectionEnding;
  readonly #chain: NetworkChain;
  readonly #owner: ArrivalOwner;
  readonly #layers: ((wire: Wire) => Wire)[] = [];
  #index = 0;
  #timedIndex = -1;
  #isAttached = false;
  #isWaiting = false;
  #isRunning = false;
  #isOver = false;
  #isEnded = false;
  #isLate = false;
  /** `buf` was made here, so there is room behind `end`. */
  #isOurs = false;

  constructor(socket: Wire, chain: NetworkChain, owner: ArrivalOwner) {
    super();
    this.socket = socket;
    this.wire = socket;
    this.peer = socket.peer;
    this.ending = chain.ending;
    this.#chain = chain;
    this.#owner = owner;
  }

  /** Asks the first filter. */
  begin(): void {
    this.#run();
  }

  /** Drops it. */
  drop(code: number): void {
    this.#leave();
    if (!this.#isAttached) this.socket.attach(this);
    this.socket.destroy(code);
  }

  addFact(name: string, value: string): void {
    this.facts ??= new Map();
    this.facts.set(name, value);
  }

  consume(sizeBytes: number): void {
    this.start = Math.min(this.end, this.start + sizeBytes);
  }

  /** Asked for by few: getsockname is a system call. */
  get destination(): string {
    this.#destination ??= this.socket.localAddress;
    return this.#destination;
  }

  impersonate(peer: Peer, destination?: string): void {
    this.peer = peer;
    if (destination !== undefined) this.#destination = destination;
  }

  replaceSocket(wire: Wire): void {
    this.socket = wire;
    this.wire = wire;
    this.#isAttached = false;
    this.#timedIndex = -1;
    this.#release();
    this.#attach();
  }

  addLayer(layer: (wire: Wire) => Wire): void {
    this.#layers.push(layer);
  }

  resume(): void {
    if (!this.#isWaiting || this.#isOver) return;
    this.#isWaiting = false;
    this.#index++;
    this.#run();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#keep(buf, start, end);
    if (!this.#isWaiting) this.#run();
  }

  onDrain(): void {}

  onEnd(): void {
    this.#isEnded = true;
    if (!this.#isWaiting && !this.#isOver) this.#run();
  }

  onClose(code: number): void {
    this.#leave(code);
  }

  onDeadline(): void {
    this.#isLate = true;
    if (!this.#isOver && !this.#isWaiting) this.#run();
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { filters } = this.#chain;
    while (!this.#isOver && this.#index < filters.length) {
      const filter = filters[this.#index] as NetworkFilter;
      const verdict = this.#ask(filter);
      if (verdict === Admission.pass) {
        this.#index++;
        this.#isLate = false;
      } else if (verdict === Admission.more && !this.isFinal) {
        this.#readOn(filter);
        break;
      } else if (verdict === Admission.wait) {
        this.#isWaiting = true;
        this.#attach();
        this.socket.pause();
        break;
      } else {
        this.#refuse(verdict === Admission.more ? 'undecided' : 'refused');
      }
    }
    this.#isRunning = false;
    if (!this.#isOver && this.#index >= filters.length) this.#finish();
  }

  #ask(filter: NetworkFilter): Admission {
    if (filter.admit === undefined || (filter.serve !== undefined && this.ending !== filter))
      return Admission.pass;
    this.isFinal = this.#isEnded || this.#isLate || this.end - this.start >= (filter.maxFirstBytes ?? 0);
    try {
      return filter.admit(this);
    } catch (thrown) {
      this.#chain.logger.error('a network filter failed', {
        listener: this.#chain.owner,
        error: messageOf(thrown),
      });
      return Admission.close;
    }
  }

  #readOn(filter: NetworkFilter): void {
    this.#attach();
    if (this.#timedIndex === this.#index) return;
    this.#timedIndex = this.#index;
    const limitMs = filter.firstBytesTimeoutMs ?? defaultTimeoutMs;
    this.#chain.wheel.disarm(this);
    this.#chain.wheel.arm(this, this.#chain.clock.now() + limitMs);
    this.socket.resume();
  }

  #attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    this.socket.attach(this);
  }

  #refuse(reason: 'refused' | 'undecided'): void {
    const values = this.#chain.metrics.values;
    const slot = this.#chain.slots[reason];
    values[slot] = (values[slot] as number) + 1;
    this.drop(this.#isLate ? Code.downstreamIdle : Code.filterClosed);
  }

  #leave(code: number = Code.filterClosed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chain.wheel.disarm(this);
    this.#release();
    this.#owner.left(this, code);
  }

  #finish(): void {
    this.#isOver = true;
    this.#chain.wheel.disarm(this);
    let peeked: PeekedWire | null = null;
    const isFirstSight = this.start === this.end && !this.#isEnded && this.#destination === null;
    if (this.#isAttached && isFirstSight && this.peer === this.socket.peer) {
      // Nothing was read of it, as behind a TLS handshake: the codec takes the place of this engine. Before it may pause.
      this.socket.resume();
    } else if (this.#isAttached || this.peer !== this.socket.peer) {
      const { peer, destination: localAddress, buf, start, end } = this;
      peeked = new PeekedWire(this.socket, { peer, localAddress, buf, start, end, isEnded: this.#isEnded });
    }
    this.wire = peeked ?? this.socket;
    for (const layer of this.#layers) this.wire = layer(this.wire);
    if (this.#owner.arrived(this)) peeked?.replay();
    this.#release();
  }

  #release(): void {
    this.buf = nothing;
    this.start = this.end = 0;
  }

  #keep(buf: Buffer, start: number, end: number): void {
    const held = this.end - this.start;
    const added = end - start;
    if (held === 0 && this.socket.ownsReads) {
      this.buf = buf;
      this.start = start;
      this.end = end;
      this.#isOurs = false;
      return;
    }
    if (!this.#isOurs || this.end + added > this.buf.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstRoomBytes, (held + added) * 2));
      this.buf.copy(larger, 0, this.start, this.end);
      this.buf = larger;
      this.start = 0;
      this.end = held;
      this.#isOurs = true;
    }
    buf.copy(this.buf, this.end, start, end);
    this.end += added;
  }
}
