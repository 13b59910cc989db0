import type { ManualCapture } from '../contract.ts';
import type { CaptureOrder } from './capturer.ts';

/** What somebody asks for, as an order of no rule. */
export function manualOrder(request: ManualCapture, atMs: number): CaptureOrder {
  const { kinds, durationMs = 5000, reason = 'asked for', deep, maxHeapBytes, threadId } = request;
  const values = { current: 0, average: 0, previous: [], settings: {} };
  return {
    trigger: { rule: 'manual', signal: '', reason, atMs, ...values },
    kinds,
    durationMs,
    ...(deep !== undefined && { deep }),
    ...(maxHeapBytes !== undefined && { maxHeapBytes }),
    ...(threadId !== undefined && { threadId }),
    // There is no trouble that would part the recorder's minute, but where CPU time is taken now as well.
    troubleMs: kinds.includes('cpu') ? atMs : 0,
    stallCpuShare: Number.NaN,
    manual: true,
  };
}
