import { Code } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { ClientCodec, Codec, CodecContext } from '../../core/contract/codec.ts';

type Heartbeat = NonNullable<Codec['heartbeat']>;

interface Beat {
  /** `wire.bytesRead` at the last look. */
  bytesRead: number;
  /** Heartbeats without a byte since. */
  missed: number;
}

/**
 * Heartbeats of one pool. A connection that carried bytes in a period needs none; any byte counts as an answer. After
 * `maxMissed` unanswered ones the connection is dropped with heartbeatLost.
 */
export class Keepalive extends WheelNode {
  readonly #context: CodecContext;
  readonly #heartbeat: Heartbeat;
  readonly #codecs: ReadonlySet<ClientCodec>;
  readonly #beats = new WeakMap<ClientCodec, Beat>();

  constructor(context: CodecContext, heartbeat: Heartbeat, codecs: ReadonlySet<ClientCodec>) {
    super();
    this.#context = context;
    this.#heartbeat = heartbeat;
    this.#codecs = codecs;
  }

  /** Starts the period; nothing when it runs. */
  arm(): void {
    if (this.wheelSlot < 0) this.#armIn(this.#heartbeat.intervalMs);
  }

  stop(): void {
    this.#context.wheel.disarm(this);
  }

  onDeadline(): void {
    let awaitsAnswer = false;
    for (const codec of [...this.#codecs]) awaitsAnswer = this.#look(codec) || awaitsAnswer;
    if (this.#codecs.size > 0) {
      this.#armIn(awaitsAnswer ? this.#heartbeat.timeoutMs : this.#heartbeat.intervalMs);
    }
  }

  /** True when it waits for an answer. */
  #look(codec: ClientCodec): boolean {
    const wire = codec.wire;
    if (wire.isConnecting) return false;
    let beat = this.#beats.get(codec);
    if (beat === undefined) {
      beat = { bytesRead: 0, missed: 0 };
      this.#beats.set(codec, beat);
    }
    if (wire.bytesRead !== beat.bytesRead) {
      beat.bytesRead = wire.bytesRead;
      beat.missed = 0;
      return false;
    }
    if (beat.missed >= this.#heartbeat.maxMissed) {
      wire.destroy(Code.heartbeatLost);
      return false;
    }
    beat.missed++;
    codec.ping();
    return true;
  }

  #armIn(delayMs: number): void {
    this.#context.wheel.arm(this, this.#context.clock.now() + delayMs);
  }
}
