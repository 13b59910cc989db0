import test from 'ava';
import { SharedState } from '../../src/diagnostics/shared-state.ts';
import { StallWatch } from '../../src/diagnostics/signals/stall-watch.ts';

/** A watch over a thread whose time on a core and in the run queue the test sets, in milliseconds. */
function watchOf(): { state: SharedState; watch: StallWatch; schedule: { cpuMs: number; waitMs: number } } {
  const state = new SharedState();
  const schedule = { cpuMs: 0, waitMs: 0 };
  const source = { read: () => `${schedule.cpuMs * 1e6} ${schedule.waitMs * 1e6} 1`, count: () => 0 };
  state.set('heartbeatMs', 1000);
  state.set('dueMs', 1100);
  const watch = new StallWatch(state, source, 1, { pollMs: 100, graceMs: 100 });
  watch.poll(1050);
  return { state, watch, schedule };
}

test('a beat that is overdue is a stall from when it was due', (t) => {
  const { watch, schedule } = watchOf();
  for (let nowMs = 1150; nowMs <= 1750; nowMs += 100) watch.poll(nowMs);
  schedule.cpuMs = 650;
  const stall = watch.poll(1800);
  t.is(stall.stallMs, 700);
  t.is(stall.startMs, 1100);
  t.true(stall.cpuShare > 0.9);
});

test('waiting for a core is not the fault of the application', (t) => {
  const { watch, schedule } = watchOf();
  for (let nowMs = 1150; nowMs <= 1750; nowMs += 100) watch.poll(nowMs);
  schedule.cpuMs = 60;
  schedule.waitMs = 600;
  t.is(watch.poll(1800).stallMs, 100);
});

test('a long computation on a machine with too few cores still is a stall', (t) => {
  const { watch, schedule } = watchOf();
  for (let nowMs = 1150; nowMs <= 2550; nowMs += 100) watch.poll(nowMs);
  schedule.cpuMs = 300;
  schedule.waitMs = 1200;
  const stall = watch.poll(2600);
  t.is(stall.stallMs, 900);
  t.is(stall.cpuShare, 1);
});

test('time in which the watching thread did not run either is not counted', (t) => {
  const { watch } = watchOf();
  watch.poll(1150);
  t.true(watch.poll(61_150).stallMs < 300);
});

test('it is not counted either where a last beat came after the last look', (t) => {
  const { state, watch, schedule } = watchOf();
  watch.poll(1150);
  state.set('heartbeatMs', 1200);
  state.set('dueMs', 1300);
  t.true(watch.poll(6150).stallMs < 300);
  // Where the application goes on first, its next stall counts in full.
  state.set('heartbeatMs', 11_140);
  state.set('dueMs', 11_240);
  t.is(watch.poll(11_150).stallMs, 0);
  for (let nowMs = 11_250; nowMs <= 12_200; nowMs += 100) watch.poll(nowMs);
  schedule.cpuMs = 950;
  t.true(watch.poll(12_240).stallMs >= 950);
});

test('the next beat ends the stall, and no processor time means a system call', (t) => {
  const { state, watch } = watchOf();
  for (let nowMs = 1150; nowMs <= 1950; nowMs += 100) watch.poll(nowMs);
  t.is(watch.poll(2000).cpuShare, 0);
  state.set('heartbeatMs', 2010);
  state.set('dueMs', 2110);
  t.is(watch.poll(2050).stallMs, 0);
});
