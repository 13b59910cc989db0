import type { TurnWrites } from '../../../core/contract/turn-writes.ts';
import type { Wire } from '../../../core/contract/wire.ts';

/** A piece above this leaves at once: it is worth a wake-up of its own. */
const largeBytes = 16 * 1024;

/** Writes `buf[start, end)`, which `source` gave, to `target`; `source` is paused when that fills `target`. */
export function pass(
  writes: TurnWrites,
  source: Wire,
  target: Wire,
  buf: Buffer,
  start: number,
  end: number,
): void {
  const size = end - start;
  if (source.ownsReads) writes.write(target, buf, start, end, source);
  else {
    // Borrowed bytes are copied once.
    const at = writes.reserve(size);
    buf.copy(writes.slab.buf, at, start, end);
    writes.commit(target, at, at + size, source);
  }
  if (size > largeBytes) writes.flush();
}
