import { HeddleError } from '../../../core/base/errors.ts';
import type { CodecState } from '../../../core/contract/codec.ts';
import type { FrameReader } from './frame-reader.ts';

const version = 1;

/** A connection without streams: windows, settings, both tables, and the bytes of an unfinished frame. */
export function stateOf(reader: FrameReader, data: unknown): CodecState {
  return { codec: 'http2', version, unread: reader.takePart(), data };
}

/** @throws HeddleError ERR_BUG for a state of another codec or version */
export function readState<Data>(state: CodecState): Data {
  if (state.codec !== 'http2' || state.version !== version) {
    throw new HeddleError('ERR_BUG', `state of codec ${state.codec} version ${state.version} given to http2`);
  }
  return state.data as Data;
}
