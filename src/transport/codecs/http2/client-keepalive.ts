import type { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext } from '../../../core/contract/codec.ts';
import type { Http2Config } from './config.ts';

/**
 * When a connection with streams on which nothing comes asks by PING whether anybody is there: after `keepaliveMs`,
 * then every `keepaliveBackoffMs` while only answers to it come. Servers of gRPC end connections that ask oftener than
 * every five minutes without sending anything else (GOAWAY too_many_pings).
 */
export class ClientKeepalive {
  readonly #node: WheelNode;
  readonly #context: CodecContext;
  readonly #config: Http2Config;
  #bytesSeen = 0;
  #quietSinceMs = 0;
  #nextPingMs = 0;

  constructor(node: WheelNode, context: CodecContext, config: Http2Config) {
    this.#node = node;
    this.#context = context;
    this.#config = config;
  }

  /** The first stream after a pause. */
  begin(bytesRead: number): void {
    const { keepaliveMs } = this.#config;
    if (keepaliveMs === 0) return;
    this.#bytesSeen = bytesRead;
    this.#quietSinceMs = this.#context.clock.now();
    // Armed already for an acknowledgement, it looks again then.
    if (this.#node.wheelSlot < 0) this.#context.wheel.arm(this.#node, this.#quietSinceMs + keepaliveMs);
  }

  wantsPing(nowMs: number, bytesRead: number): boolean {
    const { keepaliveMs, keepaliveBackoffMs } = this.#config;
    if (keepaliveMs === 0) return false;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#quietSinceMs = nowMs;
      return false;
    }
    if (nowMs < this.#quietSinceMs + keepaliveMs || nowMs < this.#nextPingMs) return false;
    this.#nextPingMs = nowMs + keepaliveBackoffMs;
    return true;
  }

  /** @param ackDueMs when an acknowledgement is due, 0: none is awaited */
  arm(nowMs: number, streams: number, ackDueMs: number): void {
    const { keepaliveMs } = this.#config;
    if (ackDueMs > 0) this.#context.wheel.arm(this.#node, Math.max(ackDueMs, nowMs + 1));
    else if (streams > 0 && keepaliveMs > 0) this.#context.wheel.arm(this.#node, nowMs + keepaliveMs);
  }
}
