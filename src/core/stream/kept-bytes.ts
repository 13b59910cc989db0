/** A slice that outlives the call: a view where the bytes are ours to keep, else a copy. */
export function keptBytes(isOwned: boolean, buf: Buffer, a: number, b: number): Buffer {
  if (isOwned) return buf.subarray(a, b);
  const copy = Buffer.allocUnsafe(b - a);
  buf.copy(copy, 0, a, b);
  return copy;
}
