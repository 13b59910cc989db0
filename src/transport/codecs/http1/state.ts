import { HeddleError } from '../../../core/base/errors.ts';
import type { CodecState } from '../../../core/contract/codec.ts';
import type { ByteHold } from './hold.ts';

const version = 1;

/** What a connection between two messages is: how many it carried, and the bytes of an unfinished head. */
export function exportConnection(hold: ByteHold, served: number): CodecState {
  const unread = Buffer.from(hold.buf.subarray(hold.start, hold.end));
  return { codec: 'http1', version, unread, data: { served } };
}

/** How many messages it carried. @throws HeddleError ERR_BUG for a state of another codec or version */
export function readState(state: CodecState): number {
  const served = (state.data as { served?: unknown } | null)?.served;
  if (state.codec !== 'http1' || state.version !== version || typeof served !== 'number') {
    throw new HeddleError('ERR_BUG', `state of codec ${state.codec} version ${state.version} given to http1`);
  }
  return served;
}
