import type { Clock, Timer } from '../../../../core/base/clock.ts';
import { Code, factsOf } from '../../../../core/base/codes.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import type { ByteEngine, Wire } from '../../../../core/contract/wire.ts';
import { FrameReader } from './frame-reader.ts';
import { JuteReader, JuteWriter, MalformedRecord } from './jute.ts';
import { Op, Xid, ZkCode, ZooKeeperError } from './protocol.ts';
import {
  type ConnectAnswer,
  connectRequest,
  readConnectAnswer,
  readEvent,
  type SessionToken,
  type WatchEvent,
} from './records.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  /** `noSession` begins a new one. */
  readonly session: SessionToken;
  readonly lastZxid: bigint;
  /** Asked for; the server answers with what it grants. */
  readonly timeoutMs: number;
  /** From the dial to the answer of the server. */
  readonly handshakeTimeoutMs: number;
  readonly maxFrameBytes: number;
}

/** All calls are synchronous, in the order of the bytes: an event after an answer is told after it. */
export interface ConnectionListener {
  onAnswer(answer: ConnectAnswer): void;
  onEvent(event: WatchEvent): void;
  /** Exactly once, the last call; what was pending has failed with `connectionLoss` before. */
  onClose(reason: string): void;
}

/** Told once: the error, or a reader at the body of the answer. What it throws closes the connection. */
export type Reply = (error: ZooKeeperError | null, reader: JuteReader) => void;

interface Pending {
  readonly xid: number;
  readonly what: string;
  readonly reply: Reply;
}

const nothing = new JuteReader(Buffer.alloc(0));
/** Pings go at least so often, whatever the session's timeout. */
const maxPingMs = 10_000;

/**
 * One TCP or TLS connection to one server: handshake, requests in order, pings, and the clock that notices silence. The
 * server answers in the order of the requests; anything else closes the connection.
 */
export class ZooKeeperConnection implements ByteEngine {
  /** Of the last answer: what the next connection must not be older than. */
  lastZxid: bigint;
  /** Monotonic ms at which bytes last arrived. */
  heardMs: number;
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #frames: FrameReader;
  #pending: Pending[] = [];
  #head = 0;
  #out: Buffer[] = [];
  #nextXid = 1;
  #timer: Timer;
  #timeoutMs = 0;
  #sentMs: number;
  #isReady = false;
  #isClosed = false;
  #reason = '';

  constructor(wire: Wire, options: ConnectionOptions, listener: ConnectionListener) {
    const { clock, handshakeTimeoutMs } = options;
    this.#wire = wire;
    this.#options = options;
    this.#listener = listener;
    this.lastZxid = options.lastZxid;
    this.heardMs = clock.now();
    this.#sentMs = this.heardMs;
    this.#frames = new FrameReader(options.maxFrameBytes, (frame) => this.#receive(frame));
    this.#timer = clock.setTimer(handshakeTimeoutMs, () =>
      this.close(`no answer in ${handshakeTimeoutMs} ms`),
    );
    wire.attach(this);
    this.#send(connectRequest(options.lastZxid, options.timeoutMs, options.session));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @param what for errors: the path. @param xid of a request that has a fixed one (auth, setWatches) */
  request(
    op: Op,
    what: string,
    write: ((writer: JuteWriter) => void) | null,
    reply: Reply,
    xid?: number,
  ): void {
    if (this.#isClosed || !this.#isReady) {
      reply(new ZooKeeperError(ZkCode.connectionLoss, what), nothing);
      return;
    }
    const id = xid ?? this.#nextXid;
    if (xid === undefined) this.#nextXid = this.#nextXid === 0x7fffffff ? 1 : this.#nextXid + 1;
    const writer = new JuteWriter().int(id).int(op);
    write?.(writer);
    if (id !== Xid.ping) this.#pending.push({ xid: id, what, reply });
    this.#send(writer.bytes());
  }

  /** Drops the connection; the session goes on at the server until its timeout. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#reason = reason;
    this.#wire.destroy(Code.locallyClosed);
    this.#finish();
  }

  /** What was written leaves before the connection ends. */
  end(reason: string): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#reason = reason;
    this.#wire.end();
    this.#finish();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isClosed) return;
    this.heardMs = this.#options.clock.now();
    const problem = this.#frames.push(buf, start, end);
    if (problem !== '') this.close(problem);
  }

  onDrain(): void {}

  onEnd(): void {
    this.close('the server ended the connection');
  }

  onClose(code: number): void {
    if (this.#isClosed) return;
    this.#reason = factsOf(code).name.replaceAll('_', ' ');
    this.#finish();
  }

  #send(body: Buffer): void {
    const frame = Buffer.allocUnsafe(4 + body.length);
    frame.writeInt32BE(body.length, 0);
    body.copy(frame, 4);
    if (this.#out.push(frame) === 1) queueMicrotask(() => this.#flush());
  }

  /** Everything of one turn leaves in one write: a list read again asks for each of its nodes. */
  #flush(): void {
    const frames = this.#out;
    if (frames.length === 0 || this.#isClosed) return;
    this.#out = [];
    const bytes = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
    this.#sentMs = this.#options.clock.now();
    this.#wire.write(bytes, 0, bytes.length);
  }

  #receive(frame: Buffer): void {
    if (this.#isClosed) return;
    try {
      const reader = new JuteReader(frame);
      if (this.#isReady) this.#answer(reader);
      else this.#begin(readConnectAnswer(reader));
    } catch (thrown) {
      this.close(
        thrown instanceof MalformedRecord ? `a malformed answer: ${thrown.message}` : messageOf(thrown),
      );
    }
  }

  #begin(answer: ConnectAnswer): void {
    this.#isReady = true;
    this.#timer.cancel();
    this.#timeoutMs = answer.timeoutMs;
    if (answer.timeoutMs > 0) this.#tick();
    this.#listener.onAnswer(answer);
  }

  #answer(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (xid === Xid.notification) {
      this.#listener.onEvent(readEvent(reader));
      return;
    }
    if (xid === Xid.ping) {
      this.#advance(zxid);
      return;
    }
    const pending = this.#pending[this.#head];
    if (pending === undefined || pending.xid !== xid) {
      throw new MalformedRecord(`answer to request ${xid} where ${pending?.xid ?? 'none'} is due`);
    }
    this.#advance(zxid);
    this.#shift();
    pending.reply(code === ZkCode.ok ? null : new ZooKeeperError(code, pending.what), reader);
  }

  /** Only of what is an answer: one from the future would make every server refuse this client. */
  #advance(zxid: bigint): void {
    if (zxid > this.lastZxid) this.lastZxid = zxid;
  }

  #shift(): void {
    this.#head++;
    if (this.#head < 1024 && this.#head < this.#pending.length) return;
    this.#pending = this.#pending.slice(this.#head);
    this.#head = 0;
  }

  /** Pings after a third of the timeout without a request; gives up after two thirds without a byte, as Java's client. */
  #tick(): void {
    const nowMs = this.#options.clock.now();
    const silentMs = (this.#timeoutMs * 2) / 3;
    if (nowMs - this.heardMs >= silentMs) {
      this.close(`the server said nothing for ${Math.round(nowMs - this.heardMs)} ms`);
      return;
    }
    const pingMs = Math.min(this.#timeoutMs / 3, maxPingMs);
    if (nowMs - this.#sentMs >= pingMs) {
      this.#sentMs = nowMs;
      this.request(Op.ping, 'ping', null, () => {}, Xid.ping);
    }
    const nextMs = Math.min(this.#sentMs + pingMs, this.heardMs + silentMs) - nowMs;
    this.#timer = this.#options.clock.setTimer(Math.max(1, nextMs), () => this.#tick());
  }

  #finish(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#out = [];
    const pending = this.#pending.slice(this.#head);
    this.#pending = [];
    this.#head = 0;
    for (const { what, reply } of pending) reply(new ZooKeeperError(ZkCode.connectionLoss, what), nothing);
    this.#listener.onClose(this.#reason);
  }
}
