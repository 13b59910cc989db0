import type { HeadView } from '../../../core/base/head-view.ts';
import { Framing } from './encode.ts';

/**
 * The Content-Length of a message that is about to leave, -1 for none. `end`: `sizeBytes` is all there is, which wins
 * over what the head says, so that the two can never differ on the wire.
 */
export function responseLength(head: HeadView, isHead: boolean, sizeBytes: number, end: boolean): number {
  const status = head.status;
  if (status < 200 || status === 204) return -1;
  if (isHead || status === 304) return head.contentLength;
  return end ? sizeBytes : head.contentLength;
}

/** RFC 9112 §6.3 for responses; `minor` is the client's. */
export function responseFraming(head: HeadView, isHead: boolean, lengthBytes: number, minor: number): number {
  const status = head.status;
  if (isHead || status < 200 || status === 204 || status === 304) return Framing.none;
  if (lengthBytes >= 0) return Framing.length;
  return minor === 1 ? Framing.chunked : Framing.untilClose;
}

/** As `responseLength`. Methods that are expected to carry a body say that theirs is empty (RFC 9110 §8.6). */
export function requestLength(head: HeadView, sizeBytes: number, end: boolean): number {
  if (head.upgrade !== '') return -1;
  if (!end) return head.contentLength;
  if (sizeBytes > 0 || head.contentLength >= 0) return sizeBytes;
  const method = head.methodText;
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 0 : -1;
}

/** RFC 9112 §6.3 for requests; what may become a tunnel has no body before it is one. */
export function requestFraming(head: HeadView, lengthBytes: number, end: boolean): number {
  if (head.upgrade !== '') return Framing.raw;
  if (lengthBytes >= 0) return Framing.length;
  return end ? Framing.none : Framing.chunked;
}
