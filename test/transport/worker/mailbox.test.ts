import { existsSync, fstatSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import {
  type AppBell,
  bellDirectory,
  type Doorbell,
  makePipes,
  openPipes,
  PipeBell,
  removePipes,
} from '../../../src/transport/worker/doorbell.ts';
import { writeData } from '../../../src/transport/worker/frame-writer.ts';
import { type FrameReceiver, ThreadLink } from '../../../src/transport/worker/link.ts';
import { createMailbox, MailboxReader, MailboxWriter } from '../../../src/transport/worker/mailbox.ts';
import { eventually, within } from '../../mesh/support.ts';

test('a mailbox holds one batch, and none while messages of the port are under way or when it is too long', (t) => {
  const shared = createMailbox();
  let rings = 0;
  const writer = new MailboxWriter(shared, () => rings++);
  const reader = new MailboxReader(shared);
  const put = (text: string, messages = 0) => writer.put(Buffer.from(text), text.length, messages);
  t.is(reader.take(), null);
  t.true(put('one'));
  t.false(put('two'), 'it is full');
  t.is(Buffer.from(reader.take() as ArrayBuffer).toString(), 'one');
  t.is(reader.take(), null);
  t.false(put('two', 1), 'a message is on its way');
  reader.tookMessage();
  t.true(put('two', 1));
  t.is(Buffer.from(reader.take() as ArrayBuffer).toString(), 'two');
  t.false(put('x'.repeat(64 * 1024 + 1), 1));
  t.true(put('x'.repeat(64 * 1024), 1));
  t.is(reader.take()?.byteLength, 64 * 1024);
  t.is(rings, 3);
});

/** Two ends of a link; the far one hears of its mailbox when the test says so. */
function pair(t: { teardown(run: () => void): void }, bell: Doorbell | null = null) {
  const { port1, port2 } = new MessageChannel();
  const [there, back] = [createMailbox(), createMailbox()];
  const near = new ThreadLink(port1, { out: there, in: back });
  const far = new ThreadLink(port2, { out: back, in: there });
  const got: number[] = [];
  const nothing = (): void => {};
  const receiver: FrameReceiver = {
    onRequest: nothing,
    onResponse: nothing,
    onTrailers: nothing,
    onFailed: nothing,
    onOutcome: nothing,
    onReset: nothing,
    onCredit: nothing,
    onData: (frame) => got.push(frame.id),
    onControl: (message) => got.push(message as number),
  };
  far.listen(receiver);
  let hears = nothing;
  near.listenTo(bell ?? { ring: nothing, onRing: nothing, close: nothing });
  far.listenTo({
    ring: nothing,
    onRing: (run) => {
      hears = run;
    },
    close: nothing,
  });
  near.ringAtOther();
  t.teardown(() => {
    near.close();
    far.close();
  });
  return { near, far, got, hears: () => hears() };
}

const body = (length: number) => ({ buf: Buffer.alloc(length), a: 0, b: length, isExclusive: false });

test('what goes by mailbox and by port arrives once and in order, whenever the other end looks', async (t) => {
  let byMailbox = 0;
  const step = fc.constantFrom('quick', 'slow', 'large', 'message', 'look', 'turn');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const closers: (() => void)[] = [];
      const { near, far, got, hears } = pair({ teardown: (run) => void closers.push(run) });
      const sent: number[] = [];
      for (const [i, what] of steps.entries()) {
        near.writer.isQuick = what === 'quick' || what === 'large';
        if (what === 'look') hears();
        else if (what === 'turn') await new Promise((resolve) => setImmediate(resolve));
        else {
          sent.push(i);
          if (what === 'message') near.post(i as unknown as object);
          else writeData(near.writer, i, body(what === 'large' ? 40_000 : 10), true);
          if (what === 'quick') near.writer.flush();
        }
      }
      near.writer.flush();
      far.drain();
      byMailbox += near.writer.posted + steps.filter((what) => what === 'message').length;
      byMailbox -= near.writer.messages;
      for (const close of closers) close();
      t.deepEqual(got, sent);
    }),
    { numRuns: 200 },
  );
  t.true(byMailbox > 20, `the mailbox was used ${byMailbox} times`);
});

test('a batch leaves with its last frame when the one before was alone, too, else when the code has run', async (t) => {
  const { near } = pair(t);
  const left: number[] = [];
  const write = (id: number): void => {
    writeData(near.writer, id, body(10), true);
    left.push(near.writer.posted);
  };
  write(1);
  await new Promise((resolve) => setImmediate(resolve));
  write(2);
  write(3);
  near.writer.isQuick = false;
  write(4);
  write(5);
  near.writer.flush();
  near.writer.isQuick = true;
  write(6);
  t.deepEqual(left, [0, 2, 3, 3, 3, 4]);
});

test('a bell that cannot be rung costs nothing: its batch and those after it go by the port', async (t) => {
  const broken: Doorbell = {
    ring() {
      throw new Error('EPIPE');
    },
    onRing() {},
    close() {},
  };
  const { near, far, got } = pair(t, broken);
  for (const id of [1, 2]) {
    writeData(near.writer, id, body(10), true);
    near.writer.flush();
  }
  t.is(near.writer.mailbox, null);
  far.drain();
  t.deepEqual(
    got.filter((each) => typeof each === 'number'),
    [1, 2],
  );
});

const onLinux = process.platform === 'linux' ? test.serial : test.skip;

const isClosed = (fd: number): boolean => {
  try {
    return fstatSync(fd) === undefined;
  } catch {
    return true;
  }
};

onLinux('pipes ring at both ends, have no names once they are open, and leave no descriptor', async (t) => {
  const directory = bellDirectory();
  t.true(await makePipes(directory));
  t.true(existsSync(directory));
  const app = openPipes(directory) as AppBell;
  t.false(existsSync(directory));
  const { workerEnd } = app;
  const worker = new PipeBell(workerEnd);
  for (const [from, to] of [
    [worker, app.bell],
    [app.bell, worker],
  ] as const) {
    const rung = new Promise<void>((resolve) => to.onRing(resolve));
    from.ring();
    await within(rung, 'the bell rings');
  }
  worker.close();
  app.close(true);
  t.notThrows(() => app.bell.ring(), 'after its end nothing happens');
  await eventually(() => isClosed(workerEnd.from) && isClosed(workerEnd.to), 'the ends are closed');
  t.is(openPipes(directory), null);
  t.false(await makePipes('/nowhere/at/all'));
});

onLinux('the end of a worker that never took it is closed by the application', async (t) => {
  const directory = bellDirectory();
  t.true(await makePipes(directory));
  const app = openPipes(directory) as AppBell;
  const { from, to } = app.workerEnd;
  app.close(false);
  t.deepEqual([isClosed(from), isClosed(to)], [true, true]);
  removePipes(directory);
});

test('a link that is closed closes its bell, and one that comes too late', (t) => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  const link = new ThreadLink(port1, { out: createMailbox(), in: createMailbox() });
  let closed = 0;
  const bell: Doorbell = { ring() {}, onRing() {}, close: () => closed++ };
  link.listenTo(bell);
  link.close();
  link.listenTo(bell);
  t.is(closed, 2);
  link.ringAtOther();
  t.is(link.writer.mailbox, null);
});
