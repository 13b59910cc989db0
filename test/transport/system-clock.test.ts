import test from 'ava';
import { WheelNode } from '../../src/core/base/timer-wheel.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { DrivenWheel, FlushList, SystemClock } from '../../src/transport/index.ts';

class Alarm extends WheelNode {
  readonly firedAtMs: number[] = [];
  onFire: () => void = () => {};

  onDeadline(nowMs: number): void {
    this.firedAtMs.push(nowMs);
    this.onFire();
  }
}

/** Counts how often the clock was asked to wake somebody. */
class CountingClock extends FakeClock {
  timersSet = 0;

  override setTimer(delayMs: number, run: () => void): ReturnType<FakeClock['setTimer']> {
    this.timersSet++;
    return super.setTimer(delayMs, run);
  }
}

test('a driven wheel fires at the tick after the deadline, at once or after a long sleep', (t) => {
  for (const delayMs of [1, 9, 10, 11, 500, 10_239, 10_241, 60_000]) {
    const clock = new FakeClock();
    const wheel = new DrivenWheel(clock);
    clock.advance(12_345);
    const alarm = new Alarm();
    const dueMs = clock.now() + delayMs;
    wheel.arm(alarm, dueMs);
    clock.advance(delayMs - 1);
    t.deepEqual(alarm.firedAtMs, [], `${delayMs} ms: not before`);
    clock.advance(12);
    t.is(alarm.firedAtMs.length, 1, `${delayMs} ms: once`);
    t.true((alarm.firedAtMs[0] as number) - dueMs <= 11, `${delayMs} ms: at most a tick late`);
  }
});

test('the wheel sleeps while nothing is due and sets no timer while nothing is armed', (t) => {
  const clock = new CountingClock();
  const wheel = new DrivenWheel(clock);
  const far = new Alarm();
  const near = new Alarm();
  clock.advance(1000);
  t.is(clock.timersSet, 0);
  wheel.arm(far, clock.now() + 9000);
  clock.advance(5000);
  t.is(clock.timersSet, 1, 'one wake-up for a deadline in nine seconds');
  wheel.arm(near, clock.now() + 100);
  clock.advance(120);
  t.is(near.firedAtMs.length, 1, 'an earlier deadline shortens the sleep');
  clock.advance(5000);
  t.is(far.firedAtMs.length, 1);
  t.is(clock.pendingTimers, 0);
  t.true(clock.timersSet <= 4);
  wheel.arm(far, clock.now() + 50);
  wheel.disarm(far);
  clock.advance(1000);
  t.is(far.firedAtMs.length, 1);
  t.is(clock.pendingTimers, 0);
});

test('a deadline that is moved later and one armed from a callback are kept; close stops all', (t) => {
  const clock = new FakeClock();
  const wheel = new DrivenWheel(clock);
  const moved = new Alarm();
  wheel.arm(moved, clock.now() + 100);
  for (let i = 0; i < 10; i++) {
    clock.advance(90);
    wheel.arm(moved, clock.now() + 100);
  }
  t.deepEqual(moved.firedAtMs, []);
  const chained = new Alarm();
  moved.onFire = () => wheel.arm(chained, clock.now() + 30);
  clock.advance(200);
  t.is(moved.firedAtMs.length, 1);
  t.is(chained.firedAtMs.length, 1);
  wheel.arm(chained, clock.now() + 30);
  wheel.close();
  clock.advance(1000);
  t.is(chained.firedAtMs.length, 1);
  t.is(clock.pendingTimers, 0);
});

test('the system clock runs timers, cancels them, and does not keep the process alive', async (t) => {
  const clock = new SystemClock();
  const fired = await new Promise<boolean>((resolve) => {
    clock.setTimer(1, () => t.fail('cancelled')).cancel();
    clock.setTimer(5, () => resolve(true));
    // Held open by this one only: the clock's own timers are unref'd.
    setTimeout(() => resolve(false), 5000);
  });
  t.true(fired);
  t.true(Math.abs(clock.wallNow() - Date.now()) < 1000);
  const before = clock.now();
  t.true(clock.now() >= before);
});

test('the flush list flushes each member once a turn; who joins meanwhile waits for the next', async (t) => {
  const list = new FlushList();
  const flushed: string[] = [];
  const later = { flush: () => flushed.push('later') };
  list.add({
    flush: () => {
      flushed.push('first');
      list.add(later);
    },
  });
  list.add({ flush: () => flushed.push('second') });
  t.deepEqual(flushed, [], 'not within the turn');
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(flushed, ['first', 'second']);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(flushed, ['first', 'second', 'later']);
  list.add(later);
  list.flush();
  await new Promise((resolve) => setImmediate(resolve));
  t.is(flushed.length, 4, 'flush by hand cancels the turn');
});
