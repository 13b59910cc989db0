import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { HeddleError } from '../../../src/core/base/errors.ts';
import { openControl } from '../../../src/diagnostics/attach/control.ts';
import { RemoteControl } from '../../../src/diagnostics/attach/index.ts';
import type { MonitorControl, MonitorEvent } from '../../../src/diagnostics/contract.ts';
import { testDirectory } from './child.ts';

const fakeControl = () => {
  const listeners = new Set<(event: MonitorEvent) => void>();
  const calls: unknown[] = [];
  const control = {
    status: () => ({ service: 'shop', nodeVersion: 'v24.0.0', pid: process.pid }),
    signals: () => [{ atMs: 1, values: { rss: 2 } }],
    captures: () => [],
    capture: async (request: unknown) => {
      calls.push(request);
      return { id: 'c1' };
    },
    setRules: () => {
      throw new HeddleError('ERR_OPTION_INVALID', 'rule "x" can never fire');
    },
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    onEvent: (listener: (event: MonitorEvent) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => void calls.push('stop'),
  } as unknown as MonitorControl;
  return {
    control,
    calls,
    listeners,
    emit: (event: MonitorEvent) => listeners.forEach((listener) => void listener(event)),
  };
};

test('a monitor is asked over a unix socket that only its user can open', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const fake = fakeControl();
  const opened = await openControl(fake.control, { listen: path });
  t.is(statSync(path).mode & 0o777, 0o600);
  const remote = await RemoteControl.connect(path);
  t.is(remote.hello.pid, process.pid);
  t.is(remote.hello.service, 'shop');
  t.true(remote.hello.startTicks > 0);
  t.is((await remote.status()).service, 'shop');
  t.deepEqual(await remote.signals(), [{ atMs: 1, values: { rss: 2 } }]);
  t.is((await remote.capture({ kinds: ['cpu'], durationMs: 5 })).id, 'c1');
  await remote.pause();
  t.deepEqual(fake.calls, [{ kinds: ['cpu'], durationMs: 5 }, 'pause']);
  await opened.close();
  t.throws(() => statSync(path), { code: 'ENOENT' });
});

test('an error comes back with its code and detail, once', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const opened = await openControl(fakeControl().control, { listen: path });
  t.teardown(() => opened.close());
  const remote = await RemoteControl.connect(path);
  const error = await t.throwsAsync(remote.setRules({}), { code: 'ERR_OPTION_INVALID' });
  t.is(error?.message, new HeddleError('ERR_OPTION_INVALID', 'rule "x" can never fire').message);
});

test('events reach those who asked for them, until they leave', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const fake = fakeControl();
  const opened = await openControl(fake.control, { listen: path });
  t.teardown(() => opened.close());
  const remote = await RemoteControl.connect(path);
  const seen = new Promise<MonitorEvent>((resolve) => void remote.onEvent(resolve));
  await remote.status();
  fake.emit({ type: 'problem', atMs: 3, message: 'disk full' });
  t.deepEqual(await seen, { type: 'problem', atMs: 3, message: 'disk full' });
  const closed = new Promise<void>((resolve) => remote.onClose(resolve));
  remote.close();
  await closed;
  const { control } = fake;
  await (await RemoteControl.connect(path)).status();
  t.is(control.captures().length, 0);
  t.is(fake.listeners.size, 0);
});

test('a monitor dials a daemon, and dials again when the daemon comes back', async (t) => {
  const path = join(await testDirectory(t), 'd.sock');
  const fake = fakeControl();
  const first = createServer().listen(path);
  await once(first, 'listening');
  const opened = await openControl(fake.control, { dial: path });
  t.teardown(() => opened.close());
  const [socket] = await once(first, 'connection');
  const remote = await RemoteControl.over(socket);
  t.is((await remote.status()).service, 'shop');
  socket.destroy();
  await new Promise((resolve) => first.close(resolve));
  const second = createServer().listen(path);
  t.teardown(() => second.close());
  const [again] = await once(second, 'connection');
  t.is((await RemoteControl.over(again)).hello.service, 'shop');
});

test('what is no JSON, and a line without end, cost their connection and nothing else', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const opened = await openControl(fakeControl().control, { listen: path });
  t.teardown(() => opened.close());
  for (const bytes of [Buffer.from('{"id":\n'), Buffer.alloc(17 * 1024 * 1024, 0x20)]) {
    const socket = connect(path).on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write(bytes);
    await closed;
  }
  const remote = await RemoteControl.connect(path);
  t.is((await remote.status()).service, 'shop');
});

test('a call on a monitor that has ended is refused at once', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const opened = await openControl(fakeControl().control, { listen: path });
  const remote = await RemoteControl.connect(path);
  const closed = new Promise<void>((resolve) => remote.onClose(resolve));
  await opened.close();
  await closed;
  await t.throwsAsync(remote.status(), {
    code: 'ERR_MONITOR_STOPPED',
    message: /the monitor of process \d+ was stopped/,
  });
  await t.throwsAsync(RemoteControl.connect(path), { code: 'ERR_ATTACH_FAILED' });
});

test('whoever put a monitor in leaves it to others that use it, and it goes with the last of them', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const fake = fakeControl();
  const opened = await openControl(fake.control, { listen: path });
  t.teardown(() => opened.close());
  const first = await RemoteControl.connect(path);
  const second = await RemoteControl.connect(path);
  await first.leave();
  t.is((await second.status()).service, 'shop');
  t.deepEqual(fake.calls, []);
  const third = await RemoteControl.connect(path);
  third.close();
  t.is((await second.status()).service, 'shop');
  const stopped = new Promise<void>((resolve) => {
    fake.control.stop = async () => resolve();
  });
  second.close();
  await stopped;
  t.pass();
});

test('alone, whoever leaves stops the monitor', async (t) => {
  const path = join(await testDirectory(t), 'm.sock');
  const fake = fakeControl();
  const opened = await openControl(fake.control, { listen: path });
  t.teardown(() => opened.close());
  await (await RemoteControl.connect(path)).leave();
  t.deepEqual(fake.calls, ['stop']);
});
