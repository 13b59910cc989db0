import type { HeadView } from '../../core/base/head-view.ts';
import { RpcNames } from '../../core/base/rpc-names.ts';
import { boltProtocol } from '../codecs/bolt/protocol.ts';
import { dubboProtocol } from '../codecs/dubbo/protocol.ts';
import type { FramedProtocol } from '../codecs/framed/index.ts';
import { isUntouched, isUntouchedLarge, joined } from '../codecs/framed/message.ts';
import { ownFrames } from '../rpc/own-frames.ts';
import { FrameFlag } from './frame.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The flag that says by which protocol a head was read; 0: by none that can be called by method. */
export function rpcFlagOf(head: HeadView): number {
  if (head.framing === boltProtocol) return FrameFlag.bolt;
  return head.framing === dubboProtocol ? FrameFlag.dubbo : 0;
}

const protocolOf = (flags: number): FramedProtocol =>
  (flags & FrameFlag.bolt) !== 0 ? boltProtocol : dubboProtocol;

/** A message of an RPC protocol on its way across: its body is collected, because filters may have changed it. */
export class RpcMessage {
  readonly #head: HeadView;
  readonly #chunks: Buffer[] = [];
  #buf: Buffer | null = null;
  #a = 0;
  #b = 0;
  #sizeBytes = 0;

  constructor(head: HeadView) {
    this.#head = head;
  }

  /** @param isOwned the bytes stay valid */
  add(buf: Buffer, a: number, b: number, isOwned: boolean): void {
    if (b === a) return;
    this.#buf = buf;
    this.#a = a;
    this.#b = b;
    this.#chunks.push(isOwned ? buf.subarray(a, b) : Buffer.from(buf.subarray(a, b)));
    this.#sizeBytes += b - a;
  }

  /** The whole frame, or the Code that says why there is none. @param request of an answer */
  frame(request: HeadView | null): Buffer | number {
    const head = this.#head;
    const protocol = protocolOf(rpcFlagOf(head));
    const whole = this.#chunks.length <= 1;
    if (whole && isUntouched(head, protocol, this.#buf, this.#a, this.#b))
      return head.buf.subarray(head.start, head.end);
    if (isUntouchedLarge(head, protocol, this.#sizeBytes))
      return Buffer.concat([head.buf.subarray(head.start, head.end), ...this.#chunks]);
    const body = this.#chunks.length === 0 ? nothing : joined(this.#chunks);
    return request === null
      ? protocol.encodeRequest(head, body, 0, 0)
      : protocol.encodeResponse(head, body, request, 0, 0);
  }
}

/** Reads the frames of RPC messages that arrive into heads. */
export class RpcReader {
  readonly #names = new RpcNames();

  /** @returns Code.none or why it cannot be read */
  request(flags: number, head: HeadView, buf: Buffer, a: number, b: number): number {
    return protocolOf(flags).readRequest(head, buf, a, b, { names: this.#names, limits: ownFrames });
  }

  response(flags: number, head: HeadView, buf: Buffer, a: number, b: number): number {
    return protocolOf(flags).readResponse(head, buf, a, b);
  }
}

export const isRpc = (flags: number): boolean => (flags & (FrameFlag.bolt | FrameFlag.dubbo)) !== 0;
