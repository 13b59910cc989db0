import test from 'ava';
import { Fleet } from '../../../src/assembly/supervisor/fleet.ts';
import type { SharedConfig } from '../../../src/assembly/supervisor/worker-calls.ts';
import type { WorkerSlot } from '../../../src/assembly/supervisor/worker-slot.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const shared: SharedConfig = { config: {}, places: [] };

/** A worker that answers `prepare` as it is told. */
function slot(worker: number, prepare: () => Promise<string>, isOpen = true): WorkerSlot {
  return {
    worker,
    isOpen,
    isReady: true,
    generation: 1,
    runs: null,
    call: (name: string) => (name === 'prepare' ? prepare() : Promise.resolve()),
  } as unknown as WorkerSlot;
}

const agrees = (): Promise<string> => Promise.resolve('');
const gone = (): Promise<string> => Promise.reject(new Error('gone'));

function fleetOf(...slots: WorkerSlot[]): { fleet: Fleet; slots: WorkerSlot[]; clock: FakeClock } {
  const clock = new FakeClock();
  return { fleet: new Fleet(slots, clock, silentLogger), slots, clock };
}

test('a configuration that one worker refuses is refused, with its number and reason', async (t) => {
  const { fleet, slots } = fleetOf(
    slot(1, agrees),
    slot(2, () => Promise.resolve('no such file')),
  );
  await t.throwsAsync(fleet.prepare(slots, shared), {
    code: 'ERR_WORKER_PROCESS',
    message: /worker 2: no such file/,
  });
});

test('a worker that ends meanwhile does not keep the others from it; when all end it is refused', async (t) => {
  const { fleet, slots } = fleetOf(slot(1, agrees), slot(2, gone, false));
  t.deepEqual(await fleet.prepare(slots, shared), slots.slice(0, 1));
  const none = fleetOf(slot(1, gone, false), slot(2, gone, false));
  await t.throwsAsync(none.fleet.prepare(none.slots, shared), { message: /every worker ended/ });
  const throwing = fleetOf(slot(1, agrees), slot(2, gone));
  await t.throwsAsync(throwing.fleet.prepare(throwing.slots, shared), { message: 'gone' });
});

test('a worker that is not ready in time makes all keep what they run', async (t) => {
  const { fleet, slots, clock } = fleetOf(
    slot(1, agrees),
    slot(2, () => new Promise(() => {})),
  );
  const preparing = fleet.prepare(slots, shared);
  clock.advance(30_000);
  await t.throwsAsync(preparing, { message: /not ready within 30000 ms/ });
});

test('a worker that starts takes over what came meanwhile, and what came while it did that', async (t) => {
  const later: SharedConfig = { config: {}, places: [] };
  let wanted = shared;
  const taken: (SharedConfig | null)[] = [];
  const one = slot(1, () => {
    taken.push(wanted);
    wanted = later;
    return agrees();
  });
  const { fleet } = fleetOf(one);
  await fleet.catchUp(one, () => wanted);
  t.deepEqual(taken, [shared, later]);
  t.is(one.runs, later);
  await fleet.catchUp(one, () => null);
  t.is(one.runs, later, 'nothing is wanted any more');
});

test('a worker that cannot take over what came meanwhile is ended: its next process begins with it', async (t) => {
  let kills = 0;
  const one = Object.assign(
    slot(1, () => Promise.resolve('no such file')),
    { kill: () => kills++ },
  );
  const { fleet } = fleetOf(one);
  await fleet.catchUp(one, () => shared);
  t.is(kills, 1);
  t.is(one.runs, null);
});

test('what takes long to count is fetched less often, and a worker that does not turn is ended', async (t) => {
  const calls: string[] = [];
  let silentMs = 0;
  let kills = 0;
  const table = new MetricsTable();
  const one = {
    worker: 1,
    isReady: true,
    generation: 1,
    pid: 1,
    get silentMs() {
      return silentMs;
    },
    kill: () => kills++,
    call: (name: string) => {
      calls.push(name);
      return Promise.resolve(name === 'metrics' ? { snapshot: table.snapshot(), tookMs: 10 } : undefined);
    },
  } as unknown as WorkerSlot;
  const { fleet, clock } = fleetOf(one);
  for (let second = 0; second < 12; second++) {
    await fleet.beat();
    clock.advance(1000);
  }
  t.is(calls.filter((each) => each === 'metrics').length, 3, '10 ms of work: every 5 s');
  t.is(calls.length, 12);
  t.is(kills, 0);
  silentMs = 31_000;
  await fleet.beat();
  t.is(kills, 1);
});
