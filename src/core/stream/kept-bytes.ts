import type { Stream } from '../contract/stream.ts';

/** A slice that outlives the call: a view where the codec's bytes are ours to keep, else a copy. */
export function copyUnlessOwned(s: Stream, buf: Buffer, a: number, b: number): Buffer {
  if (s.bytesOwned) return buf.subarray(a, b);
  const copy = Buffer.allocUnsafe(b - a);
  buf.copy(copy, 0, a, b);
  return copy;
}
