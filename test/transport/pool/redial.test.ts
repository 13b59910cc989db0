import test from 'ava';
import { Redial } from '../../../src/transport/pool/redial.ts';

test('after each failed connect in a row the wait is longer, at most 10 s, and half of it at least', (t) => {
  const redial = new Redial();
  let nowMs = 5000;
  t.true(redial.mayDial(nowMs), 'the first needs no wait');
  for (const waitMs of [50, 250, 1000, 2000, 5000, 10_000, 10_000]) {
    redial.failed(nowMs);
    t.false(redial.mayDial(nowMs + waitMs / 2 - 1), `${waitMs} ms: half of it at least`);
    t.true(redial.mayDial(nowMs + waitMs), `${waitMs} ms: all of it at most`);
    nowMs += waitMs;
  }
});

test('a connect that succeeds forgets the failures', (t) => {
  const redial = new Redial();
  for (let i = 0; i < 10; i++) redial.failed(1000);
  redial.succeeded();
  t.true(redial.mayDial(1000));
  redial.failed(1000);
  t.true(redial.mayDial(1050));
});
