import { Code, factsOf } from '../../core/base/codes.ts';
import { decodeGrpcMessage } from '../../core/base/grpc-message.ts';
import {
  GrpcStatus,
  grpcStatusOfCode,
  grpcStatusOfHttp,
  readGrpcStatus,
} from '../../core/base/grpc-status.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import { FrameFault, frameMessage, MessageReader, type MessageTarget } from './framing.ts';
import { GrpcMetadata } from './metadata.ts';

/** How a call ended. */
export interface GrpcOutcome {
  /** 0 = OK. */
  readonly status: number;
  /** `grpc-message`, or what this side has to say. */
  readonly message: string;
  readonly trailers: GrpcMetadata;
  /** Where no answer of the server ended it, why: snake_case as in `x-heddle-error`; "" for a status of the server. */
  readonly reason: string;
  /** The server cannot have seen anything of the call. */
  readonly unprocessed: boolean;
}

/** Who hears what a call brings. */
export interface ExchangeListener {
  onMetadata(metadata: GrpcMetadata): void;
  /** The receiver keeps the bytes. */
  onMessage(message: Buffer): void;
  /** `send` returned false before; more is welcome. */
  onWritable(): void;
  /** Exactly once, the last. */
  onOutcome(outcome: GrpcOutcome): void;
}

/** What carries a call: a stream on a connection of a channel, or one through a mesh. */
export interface Carrier {
  /** @returns false: wait for `exchange.writable` */
  send(bytes: Buffer, end: boolean): boolean;
  cancel(code: number): void;
  pauseRead(): void;
  resumeRead(): void;
}

const nothing: Buffer = Buffer.alloc(0);
const noMetadata: GrpcMetadata = new GrpcMetadata();

/**
 * One call in bytes: frames what is sent, reads head, messages and trailers, and says how it ended.
 *
 *   carrier -> head, data, trailers, lost -> exchange -> onMetadata, onMessage..., onOutcome
 */
export class GrpcExchange implements MessageTarget {
  readonly #listener: ExchangeListener;
  readonly #messages: MessageReader;
  #carrier: Carrier | null = null;
  #isOver = false;
  #hasHead = false;
  #halfClosed = false;

  /** @param maxReceiveBytes of one message */
  constructor(maxReceiveBytes: number, listener: ExchangeListener) {
    this.#listener = listener;
    this.#messages = new MessageReader(maxReceiveBytes, this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @internal Before anything else. */
  begin(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  /** @returns false when the server takes no more for now: `onWritable` follows */
  send(message: Uint8Array, end = false): boolean {
    if (this.#isOver || this.#halfClosed) return true;
    this.#halfClosed = end;
    return this.#carrier?.send(frameMessage(message), end) ?? true;
  }

  /** No more messages of ours. */
  end(): void {
    if (this.#isOver || this.#halfClosed) return;
    this.#halfClosed = true;
    this.#carrier?.send(nothing, true);
  }

  /** Ends the call now, with an outcome of this side's. @param code a Code */
  cancel(code: number, status: number = grpcStatusOfCode(code), message: string = factsOf(code).name): void {
    if (this.#isOver) return;
    const carrier = this.#carrier;
    this.#finish({ status, message, trailers: noMetadata, reason: factsOf(code).name, unprocessed: false });
    carrier?.cancel(code);
  }

  pauseRead(): void {
    this.#carrier?.pauseRead();
  }

  resumeRead(): void {
    this.#carrier?.resumeRead();
  }

  // ---- what the carrier says -------------------------------------------------------------------------------------

  writable(): void {
    if (!this.#isOver) this.#listener.onWritable();
  }

  head(head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean, isOwned: boolean): void {
    if (this.#isOver) return;
    const status = head.get('grpc-status');
    const isBare = end && buf === null;
    if (isBare || (status !== null && !isGrpc(head))) {
      this.#ended(head, status);
      return;
    }
    if (head.status !== 200 || !isGrpc(head)) {
      this.#fail(grpcStatusOfHttp(head.status), notGrpc(head));
      return;
    }
    this.#hasHead = true;
    this.#listener.onMetadata(GrpcMetadata.of(head));
    if (buf !== null) this.data(buf, a, b, end, isOwned);
  }

  data(buf: Buffer, a: number, b: number, end: boolean, isOwned: boolean): void {
    if (this.#isOver) return;
    const fault = this.#messages.read(buf, a, b, isOwned);
    if (fault !== FrameFault.none) this.#refuse(fault);
    else if (end) this.#fail(GrpcStatus.internal, 'the server ended the call without trailers');
  }

  trailers(head: HeadView): void {
    if (!this.#isOver) this.#ended(head, head.get('grpc-status'));
  }

  /** The stream is gone without an end. @param code a Code */
  lost(code: number, status: number = grpcStatusOfCode(code)): void {
    const { name, unprocessed } = factsOf(code);
    const isBare = unprocessed && !this.#hasHead;
    this.#finish({ status, message: name, trailers: noMetadata, reason: name, unprocessed: isBare });
  }

  message(bytes: Buffer): void {
    if (!this.#isOver) this.#listener.onMessage(bytes);
  }

  #ended(head: HeadView, text: string | null): void {
    if (text === null) {
      const isAnswer = this.#hasHead || (head.status === 200 && isGrpc(head));
      if (isAnswer) this.#fail(GrpcStatus.unknown, 'the server sent no grpc-status');
      else this.#fail(grpcStatusOfHttp(head.status), notGrpc(head));
      return;
    }
    const status = readGrpcStatus(text);
    if (status === GrpcStatus.ok && this.#messages.isPartial) {
      this.#fail(GrpcStatus.internal, 'the server ended the call in the middle of a message');
      return;
    }
    const message = decodeGrpcMessage(head.get('grpc-message') ?? '');
    const trailers = GrpcMetadata.of(head);
    this.#finish({ status, message, trailers, reason: head.get('x-heddle-error') ?? '', unprocessed: false });
  }

  #refuse(fault: FrameFault): void {
    switch (fault) {
      case FrameFault.tooLarge:
        this.#fail(
          GrpcStatus.resourceExhausted,
          `a message of ${this.#messages.refusedBytes} bytes is larger than maxReceiveBytes`,
        );
        break;
      case FrameFault.compressed:
        this.#fail(GrpcStatus.internal, 'the server compressed a message, which it was not offered');
        break;
      default:
        this.#fail(GrpcStatus.internal, 'a message begins with an unknown flag');
    }
  }

  #fail(status: number, message: string): void {
    const carrier = this.#carrier;
    this.#finish({ status, message, trailers: noMetadata, reason: 'upstream_protocol', unprocessed: false });
    carrier?.cancel(Code.upstreamProtocol);
  }

  #finish(outcome: GrpcOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#messages.stop();
    this.#carrier = null;
    this.#listener.onOutcome(outcome);
  }
}

function isGrpc(head: HeadView): boolean {
  return /^application\/grpc(?:[+;]|$)/i.test(head.get('content-type') ?? '');
}

function notGrpc(head: HeadView): string {
  const type = head.get('content-type');
  return `the answer is not gRPC: HTTP status ${head.status}, content-type ${type === null ? 'none' : JSON.stringify(type)}`;
}
