import { Code } from '../../../core/base/codes.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { Host } from '../../../core/contract/cluster.ts';
import type {
  DatagramEvents,
  DatagramSocket,
  DialledCluster,
} from '../../../core/contract/network-filter.ts';
import type { Peer } from '../../../core/contract/wire.ts';
import type { UdpEnd, UdpRecord } from './log.ts';
import type { UdpSessions } from './sessions.ts';
import { count } from './slots.ts';

/** What one client address and port exchanges with one host. It ends when it was idle, or the host cannot be reached. */
export class UdpSession extends WheelNode implements DatagramEvents {
  readonly key: string;
  readonly peer: Peer;
  readonly #owner: UdpSessions;
  readonly #reply: (message: Buffer) => void;
  readonly #dialled: DialledCluster;
  readonly #host: Host;
  readonly #startMs: number;
  readonly #startWallMs: number;
  #socket: DatagramSocket | null = null;
  #received = 0;
  #receivedBytes = 0;
  #sent = 0;
  #sentBytes = 0;
  #isAnswered = false;
  #isOver = false;

  constructor(
    owner: UdpSessions,
    key: string,
    peer: Peer,
    reply: (message: Buffer) => void,
    dialled: DialledCluster,
    host: Host,
  ) {
    super();
    this.key = key;
    this.peer = peer;
    this.#owner = owner;
    this.#reply = reply;
    this.#dialled = dialled;
    this.#host = host;
    this.#startMs = owner.context.clock.now();
    this.#startWallMs = owner.context.clock.wallNow();
  }

  begin(): void {
    const { context, config } = this.#owner;
    context.codec.wheel.arm(this, this.#startMs + config.idleTimeoutMs);
    this.#socket = context.openDatagrams(this.#host.address, this);
  }

  fromClient(message: Buffer): void {
    this.#touch();
    this.#received++;
    this.#receivedBytes += message.length;
    this.#socket?.send(message);
  }

  onMessage(message: Buffer): void {
    if (this.#isOver) return;
    const { context, slots } = this.#owner;
    this.#touch();
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#owner.answered(this);
      this.#dialled.cluster.report(this.#host, 200, Code.none, context.clock.now() - this.#startMs);
    }
    count(context.metrics, slots.datagramsSent, 1);
    count(context.metrics, slots.bytesSent, message.length);
    this.#sent++;
    this.#sentBytes += message.length;
    this.#reply(message);
  }

  onError(): void {
    if (this.#isOver) return;
    const { context, slots } = this.#owner;
    count(context.metrics, slots.unreachable, 1);
    this.#dialled.cluster.report(this.#host, 0, Code.connectFailure, context.clock.now() - this.#startMs);
    this.end('unreachable');
  }

  onDeadline(): void {
    this.end('idle');
  }

  /** @param reason for the log */
  end(reason: UdpEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.context.codec.wheel.disarm(this);
    this.#socket?.close();
    this.#dialled.permits.releaseConnection();
    this.#dialled.cluster.release(this.#host);
    this.#owner.ended(this);
    if (this.#owner.isLogging) this.#owner.log(this.#toRecord(reason));
  }

  #toRecord(reason: UdpEnd): UdpRecord {
    return {
      startWallMs: this.#startWallMs,
      durationMs: this.#owner.context.clock.now() - this.#startMs,
      peer: this.peer,
      cluster: this.#dialled.cluster.name,
      host: this.#host.address,
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      reason,
    };
  }

  #touch(): void {
    const { context, config } = this.#owner;
    if (this.deadlineMs > 0) this.deadlineMs = context.clock.now() + config.idleTimeoutMs;
  }
}
