import test from 'ava';
import { tellSilence } from '../../../bin/monitor/live.ts';
import { takeOut } from '../../../bin/monitor/take-out.ts';
import type { RemoteControl } from '../../../src/diagnostics/index.ts';

test('a process that is silent for a reason is told of once, and once more when it goes on', async (t) => {
  const told: string[] = [];
  const said = Promise.withResolvers<void>();
  const source = { name: 'shop[7]', silenceOf: () => 'it is stopped' };
  const say = (type: string, text: string): void => {
    told.push(`${type}: ${text}`);
    said.resolve();
  };
  const silence = tellSilence(source, say, { afterMs: 0, everyMs: 1 });
  await said.promise;
  silence.heard();
  silence.end();
  silence.heard();
  t.deepEqual(told, ['silent: it is stopped', 'resumed: shop[7] goes on']);
});

test('taking a monitor out of a process that cannot answer ends', async (t) => {
  let isClosed = false;
  // As the open connection would: without it nothing keeps this process alive while it waits.
  const connection = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(connection));
  const control = {
    hello: { pid: 7 },
    leave: () => new Promise(() => {}),
    close: () => {
      isClosed = true;
    },
  } as unknown as RemoteControl;
  await takeOut(control, 5);
  t.true(isClosed);
});
