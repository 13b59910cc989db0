import type { HeadView } from '../../../core/base/head-view.ts';
import type { RpcName, RpcNames } from '../../../core/base/rpc-names.ts';
import type { Match, ServerLimits } from '../../../core/contract/codec.ts';
import type { FlowKeys } from './flow-keys.ts';

/** What a frame is to a connection. */
export const FrameKind = {
  malformed: 0,
  request: 1,
  /** A request that nobody answers. */
  oneWay: 2,
  response: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  /** The peer takes no new requests (Bolt GOAWAY, Dubbo READONLY). */
  goAway: 6,
  /** Understood and of no consequence. */
  ignored: 7,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Answers of `sizeOf` beside a size. */
export const needsMore = 0;
export const notAFrame = -1;

/** What reading a request may depend on. */
export interface ReadContext {
  readonly names: RpcNames;
  readonly limits: ServerLimits;
}

/**
 * A length-prefixed, multiplexed RPC protocol: what FramedServer and FramedClient do not know. It keeps no state; all
 * functions look at bytes. Bolt, Dubbo, dubbo-thrift, Thrift and Tars are values of this type.
 *
 *    chunk      | frame | frame | fra          chunk     me | frame | ...
 *               '---+---'                      the unfinished frame waits as a list of views
 *                   |  sizeOf -> headBytesOf -> kindOf
 *                   v
 *      start              bodyStart           bodyEnd   end
 *        | fixed part, names, headers | body      | trailer |        offsets of one frame in `buf`, set in the HeadView
 *        '------------- head ---------'                             by readRequest / readResponse
 *
 *    FramedServer                          core                           FramedClient
 *      readRequest(s.req) --requestHead--> filters, route, host --sendHead--> not edited? the very bytes, setId in place
 *                                                                             edited, or another protocol's head:
 *                                                                             encodeRequest
 *      the very bytes, or encodeResponse <--sendHead-- filters <--responseHead-- readResponse(s.res)
 *
 * Rules
 * 1. Bytes given to these functions are the connection's own: they stay valid and may be patched.
 * 2. `readRequest` sets `start`, `end`, `bodyStart`, `bodyEnd`, `contentLength`, the fields (offsets into `buf`,
 *    anywhere within the frame, or later by `head.indexLater`), `exactNames`, and through `setRpcName` the words.
 *    `readResponse` sets the same, `status` in HTTP's scale and `protocolStatus`.
 * 3. A frame larger than 16 KiB may be given with only its first `headBytesOf` bytes in one piece; the rest is body, and
 *    `bodyStart` = `bodyEnd` = `end`. `contentLength` is the whole body's in either case. A protocol with something
 *    behind the body (a checksum, attachments) answers `headBytesOf` with the whole size.
 * 4. Encoders write a whole frame with the id given, or answer with a Code that says why that is not possible.
 */
export interface FramedProtocol {
  readonly name: string;
  readonly match: (buf: Buffer, start: number, end: number) => Match;
  /** Its heartbeat, for the pool; absent where the protocol has none. */
  readonly heartbeats: boolean;
  /**
   * Size of the frame at `start` of which `end - start > 0` bytes are here; `needsMore` while that cannot be told (at
   * most 64 bytes long), `notAFrame` as soon as it shows. Sizes are checked against the cap by the caller.
   */
  sizeOf(buf: Buffer, start: number, end: number): number;
  /** Bytes from `start` that the other functions need in one piece; at least 64 or the whole frame are here. */
  headBytesOf(buf: Buffer, start: number, sizeBytes: number): number;
  /** `buf[start, end)` is the frame, or its first `headBytesOf` bytes. Checks what cannot be repaired: checksums, types. */
  kindOf(buf: Buffer, start: number, end: number): FrameKind;
  /** Low 32 bits of the id, unsigned. */
  idOf(buf: Buffer, start: number, end: number): number;
  /** High 32 bits, unsigned; 0 in protocols with 32. */
  idHighOf(buf: Buffer, start: number, end: number): number;
  /** Writes another id into the frame, checksum included. Null: done in place; else the frame as it must be sent. */
  setId(buf: Buffer, start: number, end: number, id: number, idHigh: number): Buffer | null;
  /**
   * Status of a response in HTTP's scale without reading its head, for calls at whose answer nothing looks; absent
   * where that cannot be told so.
   */
  quickStatusOf?(buf: Buffer, start: number, end: number): number;
  /** Which requests repeat others; absent: each is read. */
  readonly flowKeys?: FlowKeys;
  /** Bytes of its body, likewise. */
  bodyBytesOf?(buf: Buffer, start: number, end: number): number;
  /** @returns Code.none, or the Code that refuses the connection */
  readRequest(head: HeadView, buf: Buffer, start: number, end: number, context: ReadContext): number;
  readResponse(head: HeadView, buf: Buffer, start: number, end: number): number;
  /** `head` may be of any protocol: an own one that was edited (`head.framing`), or another's. @returns frame or Code */
  encodeRequest(head: HeadView, body: Buffer, id: number, idHigh: number): Buffer | number;
  /** @param request the request that is answered: dialect, version and serialization follow it */
  encodeResponse(
    head: HeadView,
    body: Buffer,
    request: HeadView,
    id: number,
    idHigh: number,
  ): Buffer | number;
  /** The answer that stands for a stream that was reset before an answer began: `status` in HTTP's scale. */
  encodeFailure(status: number, reason: string, request: HeadView, id: number, idHigh: number): Buffer;
  /** A heartbeat; `announce`: to say which kind of peer this is. */
  heartbeat(id: number, peer: PeerAnnouncement | null): Buffer;
  /** The answer to the heartbeat `buf[start, end)`; null when it wants none. */
  heartbeatAck(buf: Buffer, start: number, end: number, peer: PeerAnnouncement | null): Buffer | null;
  /** What a heartbeat or its answer says about its sender; null: an ordinary peer. */
  announcementOf(buf: Buffer, start: number, end: number): PeerAnnouncement | null;
  /** Tells the peer to send no new requests; null where the protocol cannot, or must not to this peer. */
  goAway(isMeshPeer: boolean, id: number): Buffer | null;
}

/** What mesh peers tell each other with a heartbeat; ordinary peers neither say nor look at it. */
export interface PeerAnnouncement {
  /** The sender closes a connection that was silent for this long. */
  readonly idleLimitMs: number;
}

/** Sets the routing words: method POST, path `/service/method`, authority `service`, beside `service` and `rpcMethod`. */
export function setRpcName(head: HeadView, name: RpcName): void {
  head.service = name.service;
  head.rpcMethod = name.method;
  head.methodText = 'POST';
  head.pathText = name.path;
  head.rpcName = name;
  head.authorityText = name.service;
}
