import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { TimerWheel } from '../../../src/core/base/timer-wheel.ts';
import {
  createDialer,
  DrivenWheel,
  parseAddress,
  SocketWire,
  SystemClock,
} from '../../../src/transport/index.ts';
import { Collector } from './collector.ts';

interface Pair extends AsyncDisposable {
  readonly near: Collector;
  readonly far: Collector;
  readonly farSocket: Socket;
}

function newDialer() {
  const clock = new SystemClock();
  return createDialer(clock, new DrivenWheel(clock));
}

async function listen(address: string): Promise<{ server: Server; address: string }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const target = parseAddress(address);
  await new Promise<void>((resolve) => {
    server.listen(target.kind === 'unix' ? { path: target.path } : { host: target.host, port: 0 }, resolve);
  });
  const bound = server.address();
  return { server, address: typeof bound === 'string' ? `unix:${bound}` : `127.0.0.1:${bound?.port}` };
}

async function connectedPair(address = '127.0.0.1:0'): Promise<Pair> {
  const listening = await listen(address);
  const accepted = new Promise<Socket>((resolve) => listening.server.once('connection', resolve));
  const near = new Collector(newDialer()(listening.address, 5000));
  const farSocket = await accepted;
  const far = new Collector(new SocketWire(farSocket, near.wire.kind as 'tcp', 'accepted'));
  await near.until(() => near.connects === 1);
  return {
    near,
    far,
    farSocket,
    [Symbol.asyncDispose]: async () => {
      near.wire.destroy(Code.meshClosed);
      far.wire.destroy(Code.meshClosed);
      await new Promise((resolve) => listening.server.close(resolve));
    },
  };
}

test('bytes pass both ways and pending is exactly 0 after a write that the kernel took', async (t) => {
  await using pair = await connectedPair();
  t.true(pair.near.write('ping'));
  t.is(pair.near.wire.pending, 0);
  await pair.far.until(() => pair.far.bytes.toString() === 'ping');
  t.true(pair.far.write('pong'));
  t.is(pair.far.wire.pending, 0);
  await pair.near.until(() => pair.near.bytes.toString() === 'pong');
  t.is(pair.near.wire.bytesWritten, 4);
  t.is(pair.near.wire.bytesRead, 4);
  t.true(pair.far.wire.ownsReads);
  t.false(pair.near.wire.ownsReads);
  t.is(pair.far.wire.peer.address, '127.0.0.1');
  t.true(pair.far.wire.peer.port > 0);
});

test('unix sockets work as TCP ones do', async (t) => {
  const path = join(tmpdir(), `heddle-wire-${process.pid}.sock`);
  rmSync(path, { force: true });
  await using pair = await connectedPair(`unix:${path}`);
  pair.near.write('over unix');
  await pair.far.until(() => pair.far.sizeBytes === 9);
  t.is(pair.far.wire.kind, 'unix');
  t.is(pair.far.wire.peer.address, 'unix');
});

test('what is written while connecting leaves in order once connected', async (t) => {
  const listening = await listen('127.0.0.1:0');
  const accepted = new Promise<Socket>((resolve) => listening.server.once('connection', resolve));
  const near = new Collector(newDialer()(listening.address, 5000));
  t.true(near.wire.isConnecting);
  near.write('one ');
  near.write('two');
  t.is(near.wire.pending, 7);
  near.wire.end();
  const far = new Collector(new SocketWire(await accepted, 'tcp', 'accepted'));
  await far.until(() => far.ended);
  t.is(far.bytes.toString(), 'one two');
  far.write('late answer');
  far.wire.end();
  await near.until(() => near.closeCodes.length === 1);
  t.is(near.bytes.toString(), 'late answer', 'reading goes on after our end');
  await new Promise((resolve) => listening.server.close(resolve));
});

test('a reader that stops holds the writer at its high-water mark; onDrain comes when all has left', async (t) => {
  await using pair = await connectedPair();
  const { near, far } = pair;
  far.wire.pause();
  const block = randomBytes(64 * 1024);
  let written = 0;
  while (near.write(block)) written += block.length;
  written += block.length;
  t.true(near.wire.pending > near.wire.highWaterBytes);
  // More than the mark may be given; it waits in the wire's own queue, in order.
  for (let i = 0; i < 8; i++, written += block.length) t.false(near.write(block));
  near.write('x');
  t.is(near.drains, 0);
  far.wire.resume();
  await far.until(() => far.sizeBytes === written + 1);
  await near.until(() => near.drains === 1);
  t.is(near.wire.pending, 0);
  const got = far.bytes;
  t.is(got[got.length - 1], 'x'.charCodeAt(0));
  for (let at = 0; at < written; at += block.length)
    t.true(got.subarray(at, at + block.length).equals(block));
});

test('end() sends what is queued first', async (t) => {
  await using pair = await connectedPair();
  const block = Buffer.alloc(4 * 1024 * 1024, 7);
  pair.far.wire.pause();
  pair.near.write(block);
  pair.near.write(block);
  pair.near.wire.end();
  pair.far.wire.resume();
  await pair.far.until(() => pair.far.ended);
  t.is(pair.far.sizeBytes, 2 * block.length);
});

test('a refused connect, a destroyed peer and our own destroy each close once with their code', async (t) => {
  const listening = await listen('127.0.0.1:0');
  await new Promise((resolve) => listening.server.close(resolve));
  const refused = new Collector(newDialer()(listening.address, 5000));
  refused.write('never sent');
  await refused.until(() => refused.closeCodes.length > 0);
  t.deepEqual(refused.closeCodes, [Code.connectFailure]);

  await using pair = await connectedPair();
  pair.farSocket.resetAndDestroy();
  await pair.near.until(() => pair.near.closeCodes.length > 0);
  t.deepEqual(pair.near.closeCodes, [Code.upstreamReset]);

  await using second = await connectedPair();
  second.far.wire.destroy(Code.headerTimeout);
  second.far.wire.destroy(Code.draining);
  await second.far.until(() => second.far.closeCodes.length > 0);
  t.deepEqual(second.far.closeCodes, [Code.headerTimeout]);
});

test('an address that cannot be read closes with connectFailure, not with a throw', async (t) => {
  const wire = new Collector(newDialer()('nonsense', 5000));
  await wire.until(() => wire.closeCodes.length > 0);
  t.deepEqual(wire.closeCodes, [Code.connectFailure]);
});

test('a connect that takes too long ends with connectTimeout', async (t) => {
  const listening = await listen('127.0.0.1:0');
  listening.server.on('connection', (socket) =>
    socket
      .on('error', () => {})
      .on('end', () => socket.end())
      .resume(),
  );
  const wheel = new TimerWheel(0);
  const dial = createDialer(
    { now: () => 0, wallNow: () => 0, setTimer: () => ({ cancel: () => {} }) },
    wheel,
  );
  const late = new Collector(dial(listening.address, 30));
  // Before the loop turns, nothing can have connected.
  wheel.advance(20);
  wheel.advance(40);
  await late.until(() => late.closeCodes.length > 0);
  t.deepEqual(late.closeCodes, [Code.connectTimeout]);
  const inTime = new Collector(dial(listening.address, 30));
  await inTime.until(() => inTime.connects === 1);
  t.is(wheel.armed, 0);
  inTime.wire.destroy(Code.meshClosed);
  await new Promise((resolve) => listening.server.close(resolve));
});

test('pause keeps bytes back, and attach hands an engine what came before it', async (t) => {
  const listening = await listen('127.0.0.1:0');
  const accepted = new Promise<Socket>((resolve) => listening.server.once('connection', resolve));
  const near = new Collector(newDialer()(listening.address, 5000));
  near.write('early');
  const farWire = new SocketWire(await accepted, 'tcp', 'accepted');
  await new Promise((resolve) => setImmediate(resolve));
  const far = new Collector(farWire);
  await far.until(() => far.bytes.toString() === 'early');

  far.wire.write(Buffer.from('a'), 0, 1);
  await near.until(() => near.sizeBytes === 1);
  near.wire.pause();
  far.write('held');
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  t.is(near.sizeBytes, 1);
  near.wire.resume();
  await near.until(() => near.bytes.toString() === 'aheld');
  near.wire.destroy(Code.meshClosed);
  far.wire.destroy(Code.meshClosed);
  await new Promise((resolve) => listening.server.close(resolve));
});

test('detach hands over the socket with its unread bytes and silences the engine', async (t) => {
  await using pair = await connectedPair();
  const { near, far } = pair;
  far.wire.pause();
  near.write('unread');
  while (pair.farSocket.bytesRead < 6) await new Promise((resolve) => setImmediate(resolve));
  t.true(far.wire.canDetach);
  t.false(near.wire.canDetach, 'a dialled socket reads into a buffer that is not its own');
  t.throws(() => near.wire.detach(), { code: 'ERR_BUG' });
  const { handle, unread } = far.wire.detach();
  t.is(unread.toString(), 'unread');
  const moved = new Collector(new SocketWire(handle as Socket, 'tcp', 'accepted'));
  near.write('more');
  await moved.until(() => moved.bytes.toString() === 'more');
  t.is(far.sizeBytes, 0);
  moved.wire.destroy(Code.draining);
  await moved.until(() => moved.closeCodes.length === 1);
  t.deepEqual(far.closeCodes, []);
});
