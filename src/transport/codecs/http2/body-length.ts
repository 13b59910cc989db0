import type { HeadView } from '../../../core/base/head-view.ts';

/**
 * The Content-Length of a message that is about to leave, -1 for none. `end`: `sizeBytes` is all there is, which wins
 * over what the head says, so that the two can never differ (RFC 9113 §8.1.1).
 */
export function responseLength(head: HeadView, isHead: boolean, sizeBytes: number, end: boolean): number {
  const { status } = head;
  if (status < 200 || status === 204) return -1;
  if (isHead || status === 304) return head.contentLength;
  return end ? sizeBytes : head.contentLength;
}

export function hasNoBody(status: number, isHead: boolean): boolean {
  return isHead || status === 204 || status === 304;
}

export function requestLength(head: HeadView, sizeBytes: number, end: boolean): number {
  if (head.upgrade !== '') return -1;
  if (!end) return head.contentLength;
  return sizeBytes > 0 || head.contentLength >= 0 ? sizeBytes : -1;
}
