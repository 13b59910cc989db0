import type { HeadView } from '../base/head-view.ts';

/** States the length of a body that is known as a whole now. Framed protocols say it in their own frame. */
export function setContentLength(head: HeadView, length: number): void {
  head.contentLength = length;
  if (head.framing !== null) return;
  head.set('content-length', String(length));
}
