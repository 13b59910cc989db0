import { channels } from '../../core/base/channels.ts';
import { Code, factsOf } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type {
  ClientCodec,
  ClientOwner,
  Codec,
  Flushable,
  ServerConnection,
} from '../../core/contract/codec.ts';
import type { Pool, PoolOptions, PoolStats } from '../../core/contract/pool.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { type StreamEnd, waiting } from '../../core/contract/stream-end.ts';
import { Keepalive } from './keepalive.ts';
import { Preconnect } from './preconnect.ts';
import { Redial } from './redial.ts';
import type { PoolSetup } from './setup.ts';
import { WaitQueue } from './wait-queue.ts';

/** How often connections that only finish what they carry are looked at where there is no idle limit. */
const sweepMs = 15_000;

class PoolTimer extends WheelNode {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    super();
    this.#pool = pool;
  }

  onDeadline(): void {
    this.#pool.tick();
  }
}

/**
 * What all pool modes share: permits, the queue of streams, ageing, drain.
 *
 *   usable --gone(active > 0) | retired--> leaving --its streams ended--> released
 *   usable --gone(active = 0)------------------------------------------> released
 *
 * A mode says which connection a stream gets (`select`) and keeps the lists for that.
 */
export abstract class ConnectionPool implements Pool, ClientOwner, Flushable {
  readonly address: string;
  readonly closed: Promise<void>;
  protected readonly setup: PoolSetup;
  protected readonly options: PoolOptions;
  /** Connections that take streams. */
  protected readonly usable = new Set<ClientCodec>();
  protected isDraining = false;
  readonly #codec: Codec<unknown>;
  /** Connections that take no more streams but exist. */
  readonly #leaving = new Set<ClientCodec>();
  readonly #waiters: WaitQueue;
  readonly #timer: PoolTimer;
  readonly #preconnect: Preconnect;
  readonly #keepalive: Keepalive | null;
  /** One failed connect stands for many streams where they share it. */
  readonly #redial: Redial | null;
  #dialled = 0;
  #connectFailures = 0;
  #refusal: number = Code.draining;
  #resolveClosed: () => void;

  constructor(setup: PoolSetup) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.setup = setup;
    this.options = setup.options;
    this.address = setup.address;
    this.#codec = setup.codec;
    this.#waiters = new WaitQueue(setup.permits, setup.context.sink);
    this.#timer = new PoolTimer(this);
    this.#preconnect = new Preconnect(setup.context, setup.options.preconnect, () => this.#fill());
    const heartbeat = setup.codec.heartbeat;
    this.#keepalive = heartbeat === undefined ? null : new Keepalive(setup.context, heartbeat);
    this.#redial = setup.codec.poolMode === 'multiplex' ? new Redial() : null;
  }

  /** A connection with room for `s`, taken off the mode's lists where one stream fills it; null when there is none. */
  protected abstract select(s: Stream): ClientCodec | null;
  /** `codec` may be chosen again. */
  protected abstract freed(codec: ClientCodec): void;
  /** `codec` must not be chosen any more. */
  protected abstract forget(codec: ClientCodec): void;
  /** Closes what was idle for the time the options allow; called every `tickMs`. */
  protected abstract evict(): void;
  /** Whether a stream that found no room may have a connection of its own. */
  protected mayDialFor(_s: Stream): boolean {
    return true;
  }
  /** `codec` was dialled for `s`. */
  protected dialledFor(_codec: ClientCodec, _s: Stream): void {}

  get connections(): number {
    return this.#count;
  }

  open(s: Stream): StreamEnd | number {
    const codec = this.select(s) ?? this.#dialFor(s);
    if (codec !== null) {
      codec.bind(s);
      return codec;
    }
    if (this.isDraining) return this.#refusal;
    if (this.#count === 0) return this.#refusalOfDial();
    if (!this.#waiters.tryAdd(s)) return Code.pendingOverflow;
    if (channels.poolWait.hasSubscribers) channels.poolWait.publish({ address: this.address, stream: s });
    return waiting;
  }

  cancelWait(s: Stream): void {
    this.#waiters.remove(s);
  }

  unbind(_down: StreamEnd | ServerConnection): void {}

  room(codec: ClientCodec): void {
    this.#preconnect.succeeded();
    if (codec.room === 0) return;
    if (this.isDraining || this.isSpent(codec)) this.#retire(codec);
    else this.freed(codec);
    if (this.#waiters.size > 0) this.#serveWaiters();
  }

  connected(_codec: ClientCodec): void {
    this.#redial?.succeeded();
    this.#preconnect.succeeded();
  }

  gone(codec: ClientCodec, code: number): void {
    this.#keepalive?.unwatch(codec, code);
    if (this.usable.delete(codec)) {
      this.forget(codec);
      if (codec.active === 0) this.#release();
      else this.#leave(codec);
    } else this.#sweep();
    if (channels.poolClose.hasSubscribers) this.#tellClosed(code);
    if (factsOf(code).error === 'ERR_UPSTREAM_CONNECT') this.#connectFailed(code);
    if (this.#waiters.size > 0) this.#serveWaiters();
    this.#fill();
  }

  drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.#stopTimers();
    this.#waiters.failAll(Code.draining);
    for (const codec of [...this.usable]) this.#retire(codec);
    this.#checkClosed();
  }

  close(): void {
    this.#refusal = Code.meshClosed;
    this.isDraining = true;
    this.#stopTimers();
    this.#waiters.failAll(Code.meshClosed);
    for (const codec of [...this.usable, ...this.#leaving]) codec.wire.destroy(Code.meshClosed);
    this.#checkClosed();
  }

  stats(): PoolStats {
    let connecting = 0;
    let idle = 0;
    for (const codec of this.usable) {
      if (codec.wire.isConnecting) connecting++;
      else if (codec.active === 0) idle++;
    }
    return {
      connections: this.#count,
      connecting,
      idle,
      waiting: this.#waiters.size,
      dialled: this.#dialled,
      connectFailures: this.#connectFailures,
    };
  }

  /** The end of a turn in which a connection began to leave. */
  flush(): void {
    this.#sweep();
  }

  /** @internal By the wheel. */
  tick(): void {
    this.#sweep();
    this.evict();
    if (this.#count > 0) this.#armTick();
  }

  /** Half the idle limit: the modes call two quiet ticks idle. */
  protected get tickMs(): number {
    const idleMs = this.options.idleTimeoutMs;
    return idleMs === 0 ? sweepMs : idleMs / 2;
  }

  protected isSpent(codec: ClientCodec): boolean {
    const max = this.options.maxRequestsPerConnection;
    return max > 0 && codec.served >= max;
  }

  /** Closes an idle connection; never below what is to be kept open. */
  protected evictOne(codec: ClientCodec): boolean {
    if (this.usable.size <= this.options.preconnect) return false;
    this.#retire(codec);
    return true;
  }

  get #count(): number {
    return this.usable.size + this.#leaving.size;
  }

  #dialFor(s: Stream): ClientCodec | null {
    const codec = this.mayDialFor(s) && this.#mayRedial() ? this.#dial() : null;
    if (codec !== null) this.dialledFor(codec, s);
    return codec;
  }

  /** Why there is no connection at all. */
  #refusalOfDial(): number {
    return this.#mayRedial() ? Code.connectionOverflow : Code.connectFailure;
  }

  #mayRedial(): boolean {
    return this.#redial === null || this.#redial.mayDial(this.setup.context.clock.now());
  }

  #dial(): ClientCodec | null {
    const { maxConnectionsPerHost, connectTimeoutMs } = this.options;
    if (this.isDraining) return null;
    if (maxConnectionsPerHost > 0 && this.#count >= maxConnectionsPerHost) return null;
    if (!this.setup.permits.tryConnection()) return null;
    const wire = this.setup.dial(this.address, connectTimeoutMs);
    const codec = this.#codec.client(wire, this.setup.context, this, this.setup.codecConfig);
    this.usable.add(codec);
    this.#dialled++;
    this.#armTick();
    this.#keepalive?.watch(codec);
    if (channels.poolConnect.hasSubscribers) {
      const { name } = this.setup.codec;
      channels.poolConnect.publish({ address: this.address, codec: name, connections: this.#count });
    }
    return codec;
  }

  #tellClosed(code: number): void {
    const { name } = this.setup.codec;
    const connections = this.#count;
    channels.poolClose.publish({
      address: this.address,
      codec: name,
      connections,
      code: factsOf(code).name,
    });
  }

  #serveWaiters(): void {
    for (const s of this.#waiters) {
      const codec = this.select(s) ?? this.#dialFor(s);
      if (codec === null) {
        if (this.#count === 0) this.#waiters.failAll(this.#refusalOfDial());
        // Another waiter may be tied to the connection that got free.
        if (this.setup.codec.poolMode === 'bound') continue;
        return;
      }
      this.#waiters.remove(s);
      codec.bind(s);
      this.setup.context.sink.upstreamReady(s, codec);
    }
  }

  /** With no other connection to hope for, streams in the queue fail now and may try another host. */
  #connectFailed(code: number): void {
    this.#connectFailures++;
    this.#redial?.failed(this.setup.context.clock.now());
    this.#preconnect.failed();
    for (const codec of this.usable) if (!codec.wire.isConnecting) return;
    this.#waiters.failAll(code);
  }

  #fill(): void {
    if (this.isDraining) return;
    while (this.usable.size < this.options.preconnect && this.#preconnect.mayDial()) {
      const codec = this.#dial();
      if (codec === null) return;
      this.freed(codec);
    }
  }

  #retire(codec: ClientCodec): void {
    if (!this.usable.delete(codec)) return;
    this.forget(codec);
    this.#keepalive?.unwatch(codec, Code.draining);
    this.#leaving.add(codec);
    codec.drain();
  }

  #leave(codec: ClientCodec): void {
    this.#leaving.add(codec);
    this.setup.context.flushLater(this);
  }

  /** Connections that left and whose last stream has ended. */
  #sweep(): void {
    const before = this.#leaving.size;
    for (const codec of this.#leaving) {
      if (codec.active > 0) continue;
      this.#leaving.delete(codec);
      this.#release();
    }
    // Streams that came while the last ones of a lost connection ended wait for its place.
    if (this.#leaving.size < before && this.#waiters.size > 0) this.#serveWaiters();
  }

  #release(): void {
    this.setup.permits.releaseConnection();
    if (this.#count === 0) this.setup.context.wheel.disarm(this.#timer);
    this.#checkClosed();
  }

  #checkClosed(): void {
    if (this.isDraining && this.#count === 0) this.#resolveClosed();
  }

  #armTick(): void {
    if (this.#timer.wheelSlot >= 0 || this.isDraining) return;
    this.setup.context.wheel.arm(this.#timer, this.setup.context.clock.now() + this.tickMs);
  }

  #stopTimers(): void {
    this.#preconnect.stop();
    this.#keepalive?.stop();
  }

  /** Opens what is to be kept open. */
  protected begin(): void {
    this.#fill();
  }
}
