/** Limits on what a stranger may send; defaults in parentheses. */
export interface HessianLimits {
  /** Lists, maps and objects within one another (512). */
  readonly maxDepth: number;
  /** Lists, maps and objects of one message, which references count (1,000,000). */
  readonly maxReferences: number;
  /** Class definitions, and types, of one message (4,096). */
  readonly maxClasses: number;
  /** Fields of one class (4,096). */
  readonly maxFields: number;
  /** Bytes of one string or binary, all chunks (16 MiB). */
  readonly maxStringBytes: number;
}

export const defaultHessianLimits: HessianLimits = {
  maxDepth: 512,
  maxReferences: 1_000_000,
  maxClasses: 4096,
  maxFields: 4096,
  maxStringBytes: 16 * 1024 * 1024,
};
