/**
 * Owned body chunks of one direction, in order: what waits behind a filter, a connect or a full peer, and what a retry
 * would send again. Holds nothing while bytes pass straight through.
 */
export class BodyBuffer {
  chunks: Buffer[] = [];
  sizeBytes = 0;
  /** Index of the first chunk that this try has not sent. */
  next = 0;
  /** Chunks before this index have passed the body filters; a retry does not run them again. */
  filtered = 0;
  /** Where the body hooks go on for the chunk at `filtered`. */
  filterIndex = 0;
  /** A filter stopped this direction. */
  isStopped = false;
  /** Collecting all of it for a filter. */
  isBuffering = false;
  /** Sent chunks stay for another try. */
  isKept = false;
  /** Bytes were sent that are not kept: no other try is possible. */
  isLost = false;
  /** Filters that saw the whole body from their head hook: not called again. */
  early: unknown[] | null = null;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
  }

  clear(): void {
    this.next = this.filtered = this.filterIndex = 0;
    this.isStopped = this.isBuffering = this.isKept = this.isLost = false;
    this.early = null;
    if (this.chunks.length === 0) return;
    this.chunks = [];
    this.sizeBytes = 0;
  }

  /** Forgets the chunks that were sent. */
  dropSent(): void {
    if (this.next === 0) return;
    for (let i = 0; i < this.next; i++) this.sizeBytes -= (this.chunks[i] as Buffer).length;
    this.chunks.splice(0, this.next);
    this.filtered = Math.max(0, this.filtered - this.next);
    this.next = 0;
  }

  /** All unsent bytes as one buffer; the same object when there is one chunk. */
  concat(): Buffer {
    const rest = this.next === 0 ? this.chunks : this.chunks.slice(this.next);
    return rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest);
  }
}
