import { Duplex, Writable } from 'node:stream';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { sharedNow } from './heartbeat.ts';
import { captureFrames } from './stack.ts';
import { StackTable } from './stack-table.ts';

/**
 * Who fills the memory that no heap profiler attributes: buffers, and bytes written to streams that are over their
 * high-water mark. For a few seconds during a capture `Buffer`'s makers and `write` are wrapped; `stop()` puts the
 * originals back. One event in so many bytes gets a stack, as a heap sampler does.
 */
export interface BufferWatch {
  /** `buffer_bytes` made and still reachable, `backlog_bytes` written past the high-water mark, by stack. */
  dump(): Profile;
  stop(): void;
}

const bytesPerSample = 64 * 1024;
const maxSamplesPerSecond = 500;
const maxLive = 20_000;
const stackDepth = 32;

const makers = ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat'] as const;
type Made = { readonly byteLength: number; readonly buffer: object };
type Maker = (...values: unknown[]) => Made;
type Write = (this: Writable, ...values: unknown[]) => boolean;

export function watchBuffers(): BufferWatch {
  const startMs = sharedNow();
  const made = new StackTable<WeakRef<object>>(maxLive);
  const backlog = new StackTable<undefined>(maxLive);
  const budget = createBudget();
  const restore: (() => void)[] = [];
  for (const name of makers) restore.push(wrapMaker(name, made, budget));
  for (const prototype of new Set([Writable.prototype, Duplex.prototype])) {
    restore.push(wrapWrite(prototype, backlog, budget));
  }
  return {
    dump: () => {
      made.keep((reference) => reference.deref() !== undefined);
      const sampleTypes = [
        { type: 'buffer_bytes', unit: 'bytes' },
        { type: 'backlog_bytes', unit: 'bytes' },
      ];
      const table = new StackTable<undefined>(maxLive * 2);
      made.visit((frames, weight, label) => table.add(frames, [weight, 0], label, undefined));
      backlog.visit((frames, weight, label) => table.add(frames, [0, weight], label, undefined));
      return table.toProfile({ kind: 'buffers', sampleTypes, period: bytesPerSample, startMs });
    },
    stop: () => {
      for (const undo of restore.splice(0)) undo();
    },
  };
}

/** Says how many bytes a sample stands for, or 0 for "not this one". */
type Budget = (bytes: number) => number;

function createBudget(): Budget {
  let untilSample = bytesPerSample;
  let unsampled = 0;
  let windowMs = 0;
  let inWindow = 0;
  return (bytes) => {
    unsampled += bytes;
    untilSample -= bytes;
    if (untilSample > 0) return 0;
    const now = sharedNow();
    if (now - windowMs > 1000) {
      windowMs = now;
      inWindow = 0;
    }
    if (++inWindow > maxSamplesPerSecond) return 0;
    untilSample = bytesPerSample;
    const weight = unsampled;
    unsampled = 0;
    return weight;
  };
}

function wrapMaker(
  name: (typeof makers)[number],
  made: StackTable<WeakRef<object>>,
  budget: Budget,
): () => void {
  const holder = Buffer as unknown as Record<string, Maker>;
  const original = holder[name];
  if (original === undefined) return () => {};
  let depth = 0;
  const wrapped: Maker = function wrappedMaker(this: unknown, ...values) {
    depth++;
    let buffer: Made;
    try {
      buffer = original.apply(this, values);
    } finally {
      depth--;
    }
    const weight = depth === 0 ? budget(buffer.byteLength) : 0;
    if (weight > 0) {
      // Not the view: a slice of ten bytes keeps all of them alive when the view is gone.
      made.add(captureFrames(wrapped, stackDepth), [weight], `Buffer.${name}`, new WeakRef(buffer.buffer));
    }
    return buffer;
  };
  return replace(holder, name, wrapped, original);
}

function wrapWrite(prototype: Writable, backlog: StackTable<undefined>, budget: Budget): () => void {
  const holder = prototype as unknown as Record<string, unknown>;
  const original = holder['write'] as Write;
  const wrapped: Write = function wrappedWrite(...values) {
    const before = this.writableLength;
    const accepted = original.apply(this, values);
    const added = this.writableLength - before;
    if (!accepted && added > 0 && before >= this.writableHighWaterMark) {
      const weight = budget(added);
      if (weight > 0) {
        const frames: ProfileFrame[] = captureFrames(wrapped, stackDepth);
        backlog.add(frames, [weight], this.constructor?.name ?? 'Writable', undefined);
      }
    }
    return accepted;
  };
  return replace(holder, 'write', wrapped, original);
}

function replace(holder: object, name: string, wrapped: unknown, original: unknown): () => void {
  const slots = holder as Record<string, unknown>;
  slots[name] = wrapped;
  return () => {
    // Somebody may have wrapped our wrapper meanwhile; then it has to stay below theirs.
    if (slots[name] === wrapped) slots[name] = original;
  };
}
