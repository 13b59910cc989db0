import type { HeadView } from '../../../core/base/head-view.ts';

/** Which bytes of a request make its flow: its head but the id and the length of the content. */
export interface FlowKeys {
  /** Bytes before the content of the whole frame at `start`; 0: it is of no flow. */
  headBytesOf(buf: Buffer, start: number): number;
  /** Never 0. */
  hashOf(view: DataView, start: number, sizeBytes: number): number;
  isSame(kept: DataView, view: DataView, start: number, sizeBytes: number): boolean;
  /** Does the head alone, without the content, say what the request is? */
  isWhole(head: HeadView): boolean;
}

/** Four words at a time: 0.2 ns a byte where a loop over bytes takes 1.5. */
export function hashBytes(view: DataView, start: number, end: number, seed: number): number {
  let a = seed;
  let b = 1;
  let c = 2;
  let d = 3;
  let at = start;
  for (; at <= end - 16; at += 16) {
    a = (((a << 5) | (a >>> 27)) + view.getInt32(at, true)) | 0;
    b = ((b << 7) | (b >>> 25)) ^ view.getInt32(at + 4, true);
    c = (((c << 5) | (c >>> 27)) + view.getInt32(at + 8, true)) | 0;
    d = ((d << 7) | (d >>> 25)) ^ view.getInt32(at + 12, true);
  }
  for (; at < end; at++) a = (((a << 5) | (a >>> 27)) + view.getUint8(at)) | 0;
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d) ^ d;
  // The finalizer of MurmurHash3: places are chosen by the low bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16) || 1;
}

/** Are `kept[from, sizeBytes)` and the same range behind `start` equal? */
export function sameBytes(
  kept: DataView,
  view: DataView,
  start: number,
  from: number,
  sizeBytes: number,
): boolean {
  let i = from;
  for (; i <= sizeBytes - 16; i += 16) {
    const at = start + i;
    const difference =
      (kept.getInt32(i, true) ^ view.getInt32(at, true)) |
      (kept.getInt32(i + 4, true) ^ view.getInt32(at + 4, true)) |
      (kept.getInt32(i + 8, true) ^ view.getInt32(at + 8, true)) |
      (kept.getInt32(i + 12, true) ^ view.getInt32(at + 12, true));
    if (difference !== 0) return false;
  }
  for (; i < sizeBytes; i++) if (kept.getUint8(i) !== view.getUint8(start + i)) return false;
  return true;
}
