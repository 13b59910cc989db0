/**
 * Where batches of log lines go: a file, a standard stream, memory in tests. Opened by the transport.
 *
 *   AccessLog.write(s) -> LogBatch (64 KiB, or some milliseconds) -> LogOutput.write(bytes, lines) -> file
 */
export interface LogOutput {
  /**
   * Takes the bytes over; they are not changed afterwards. Never blocks and never throws.
   * @returns false when they were dropped because too much is pending.
   */
  write(bytes: Buffer, lines: number): boolean;
  /** Lines that were taken and then lost since this was last asked; absent where none can be. */
  takeLost?(): number;
  /** Batches that hold lines for this output now; whoever closes it calls `flush` of each first. */
  readonly gathering: Set<{ flush(): void }>;
}

/** Opens outputs by path ("stdout", "stderr" or a file); the same path gives the same output. */
export interface LogOutputs {
  /** @throws HeddleError ERR_OPTION_INVALID when the path is not one that can be opened for appending */
  open(path: string): LogOutput;
}
