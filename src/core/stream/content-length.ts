import type { HeadView } from '../base/head-view.ts';

/** States the length of a body that is known as a whole now. */
export function setContentLength(head: HeadView, length: number): void {
  head.contentLength = length;
  head.set('content-length', String(length));
}
