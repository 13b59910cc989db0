import { HeddleError } from '../../core/base/errors.ts';
import type { ManualCapture } from '../contract.ts';
import { profileKindNames } from '../profiles/kinds.ts';
import type { CaptureOrder } from './capturer.ts';

/** What somebody asks for, as an order of no rule. */
export function manualOrder(request: ManualCapture, atMs: number): CaptureOrder {
  const { kinds, durationMs = 5000, reason = 'asked for', transient = false } = request;
  const { deep, maxHeapBytes, threadId } = request;
  checkKinds(kinds);
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
    transient,
  };
}

/** Whoever asks from JavaScript or over the socket has no compiler to tell. */
function checkKinds(kinds: unknown): void {
  const known = profileKindNames.join(', ');
  const fail = (detail: string): never => {
    throw new HeddleError('ERR_OPTION_INVALID', `kinds: ${detail}; there are ${known}`);
  };
  if (!Array.isArray(kinds) || kinds.length === 0) fail('name one profile kind at least');
  for (const kind of kinds as unknown[])
    if (!profileKindNames.includes(String(kind))) fail(`no profile kind is called "${String(kind)}"`);
}
