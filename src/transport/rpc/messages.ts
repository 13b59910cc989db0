import type { HeadView } from '../../core/base/head-view.ts';
import type { RpcOutcome, RpcProtocol, RpcRequest } from './call.ts';

/** A call that was read from a frame, and the way to answer it in the frame's own version and dialect. */
export interface IncomingCall {
  readonly request: RpcRequest;
  /** A whole response frame; the id is 0. @throws HeddleError ERR_RPC_VALUE when a value cannot be sent */
  answer(outcome: RpcOutcome): Buffer;
}

/**
 * Calls and outcomes as frames of one protocol and back. The frames are those that the protocol's codec reads, so that
 * a call of this process and one from a wire are the same to filters, routes and upstreams.
 */
export interface RpcMessages {
  readonly protocol: RpcProtocol;
  /** A whole request frame; the id is 0. @throws HeddleError ERR_RPC_VALUE */
  encodeRequest(request: RpcRequest): Buffer;
  /**
   * @param head as the codec read it, filters' edits included; @param body the body bytes
   * @throws HeddleError ERR_RPC_VALUE
   */
  decodeRequest(head: HeadView, body: Buffer): IncomingCall;
  /** Answers `head` where its call cannot be read. */
  refuse(head: HeadView, status: number, message: string): Buffer;
  /** @throws HeddleError ERR_RPC_VALUE */
  decodeResponse(head: HeadView, body: Buffer): RpcOutcome;
  /** The protocol's status for one of HTTP's scale. */
  statusFor(httpStatus: number): number;
}
