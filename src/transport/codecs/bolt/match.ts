import { Match } from '../../../core/contract/codec.ts';
import { frameSize } from './layout.ts';

/** Bytes from which a frame is told from a coincidence: version, type and command of v2. */
const decidingBytes = 5;

/** Bolt v1 or v2 by protocol byte, version, type and command. */
export function match(buf: Buffer, start: number, end: number): Match {
  if (start === end) return Match.more;
  if (frameSize(buf, start, end) < 0) return Match.no;
  return end - start < decidingBytes ? Match.more : Match.yes;
}
