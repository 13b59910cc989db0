import { type HessianDialect, Shape } from './dialect.ts';
import { HessianProblem } from './problems.ts';

/** The offset behind the binary at `at`, all its chunks, or a HessianProblem. @param maxBytes of all chunks together */
export function skipBinary(
  dialect: HessianDialect,
  buf: Buffer,
  at: number,
  end: number,
  maxBytes: number,
): number {
  const start = at;
  for (;;) {
    if (at >= end) return HessianProblem.truncated;
    const tag = buf[at] as number;
    const shape = dialect.shape[tag] as number;
    if (shape < Shape.shortBinary || shape > Shape.finalBinary) return HessianProblem.badTag;
    if (shape === Shape.shortBinary) at += 1 + tag - 0x20;
    else if (at + (shape === Shape.mediumBinary ? 2 : 3) > end) return HessianProblem.truncated;
    else if (shape === Shape.mediumBinary) at += 2 + (((tag - 0x34) << 8) | (buf[at + 1] as number));
    else at += 3 + buf.readUInt16BE(at + 1);
    if (at > end) return HessianProblem.truncated;
    if (at - start > maxBytes) return HessianProblem.tooLong;
    if (shape !== Shape.binaryChunk) return at;
  }
}
