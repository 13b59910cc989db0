import type { HeadView } from '../../core/base/head-view.ts';
import type { ConfigSchema } from '../../core/contract/extension.ts';

/** Accepts whatever it is given: the test codecs have no settings. */
export const noConfig: ConfigSchema = {
  '~standard': { version: 1, vendor: 'heddle', validate: (value) => ({ value }) },
};

export function fillHijack(head: HeadView, status: number, body: string): void {
  head.status = status;
  head.contentLength = Buffer.byteLength(body);
}

export function statusOf(head: HeadView): number {
  return head.status;
}
