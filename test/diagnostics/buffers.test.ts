import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { watchBuffers } from '../../src/diagnostics/hooks/buffers.ts';
import { framesTo, type Profile } from '../../src/diagnostics/index.ts';

const collectGarbage = (globalThis as { gc?: () => void }).gc ?? (() => {});

/** Bytes of a column by whether a function of that name is on the stack. */
function bytesOf(profile: Profile, type: string, name: string): number {
  const column = profile.sampleTypes.findIndex((one) => one.type === type);
  return profile.samples
    .filter(({ node }) => framesTo(profile, node).some((frame) => frame.name === name))
    .reduce((sum, { values }) => sum + (values[column] ?? 0), 0);
}

test.serial(
  'a slice keeps its whole buffer alive, and who made that is named; what is dropped is not',
  async (t) => {
    const watch = watchBuffers();
    t.teardown(() => watch.stop());
    const kept: Uint8Array[] = [];
    function keepSlice(): void {
      kept.push(Buffer.alloc(512 * 1024, 1).subarray(0, 10));
    }
    function dropAll(): void {
      Buffer.alloc(512 * 1024, 1);
    }
    for (let round = 0; round < 20; round++) {
      keepSlice();
      dropAll();
    }
    // A reference holds on until its turn is over.
    await turn();
    collectGarbage();
    const profile = watch.dump();
    t.is(kept.length, 20);
    t.is(bytesOf(profile, 'buffer_bytes', 'keepSlice'), 20 * 512 * 1024);
    t.true(bytesOf(profile, 'buffer_bytes', 'dropAll') <= 512 * 1024);
  },
);

test.serial(
  'bytes written past the high-water mark count for who writes them, and stop() leaves no wrapper',
  (t) => {
    const { alloc } = Buffer;
    const { write } = Writable.prototype;
    const watch = watchBuffers();
    // Its callback never comes: a reader that does not read.
    const stream = new Writable({ highWaterMark: 16, write: () => {} });
    const chunk = Buffer.from('x'.repeat(64 * 1024));
    function sendAll(): void {
      for (let count = 0; count < 10; count++) stream.write(chunk);
    }
    sendAll();
    const profile = watch.dump();
    t.is(bytesOf(profile, 'backlog_bytes', 'sendAll'), 9 * 64 * 1024);
    watch.stop();
    t.is(Buffer.alloc, alloc);
    t.is(Writable.prototype.write, write);
  },
);
