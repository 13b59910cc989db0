import test from 'ava';
import type { WorkerSetup } from '../../../src/assembly/supervisor/worker-calls.ts';
import { WorkerSlot } from '../../../src/assembly/supervisor/worker-slot.ts';
import type { Clock } from '../../../src/core/base/clock.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import type { LogFields } from '../../../src/core/contract/logger.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { SystemClock } from '../../../src/transport/index.ts';
import { SharedSockets } from '../../../src/transport/supervisor/shared-sockets.ts';
import { eventually } from '../../mesh/support.ts';

/** Waits as it is told, but a hundredth of the time. */
function hurrying(waits: number[]): Clock {
  const clock = new SystemClock();
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimer: (delayMs, run) => {
      waits.push(delayMs);
      return clock.setTimer(delayMs / 100, run);
    },
  };
}

test('a worker that ends again and again is started ever more seldom, and the log says so', async (t) => {
  const lines: [string, LogFields | undefined][] = [];
  const waits: number[] = [];
  const logger = {
    ...silentLogger,
    error: (message: string, fields?: LogFields) => void lines.push([message, fields]),
  };
  const slot = new WorkerSlot({
    worker: 1,
    entry: new URL('../../fixtures/failing-worker.ts', import.meta.url).href,
    nodeArgs: [],
    env: {},
    sockets: new SharedSockets(logger),
    clock: hurrying(waits),
    random: new SeededRandom(1),
    logger,
    setup: () => ({ shared: { config: {}, places: [] } }) as unknown as WorkerSetup,
    catchUp: () => Promise.reject(new Error('it never starts')),
    onEnd: () => {},
  });
  await t.throwsAsync(slot.start(), { code: 'ERR_WORKER_PROCESS' });
  await eventually(() => slot.failures >= 5, 'five ends');
  await slot.stop();
  const ends = lines.filter(([message]) => message === 'a worker ended');
  t.like(ends[0]?.[1], { worker: 1, reason: 'exit code 3' });
  const nominal = [200, 400, 800, 1600, 3200];
  for (const [i, wait] of nominal.entries()) {
    const waited = waits[i] ?? 0;
    t.true(waited >= wait / 2 && waited <= wait, `${waited} of ${wait}`);
  }
  t.true(lines.some(([message]) => message.startsWith('a worker ends again and again')));
  t.is(slot.pid, 0);
  const { generation } = slot;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(slot.generation, generation, 'none after it was stopped');
});
