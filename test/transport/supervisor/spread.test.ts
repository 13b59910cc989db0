import test from 'ava';
import fc from 'fast-check';
import { Spread, type SpreadTarget } from '../../../src/transport/supervisor/spread.ts';

class Target implements SpreadTarget {
  isReady = true;
  count = 0;
  accepts = true;

  connectionsOf(): number | null {
    return this.accepts ? this.count : null;
  }
}

test('connections that stay are shared out to within one, whatever the number of workers', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 0, max: 200 }), (workers, connections) => {
      const targets = Array.from({ length: workers }, () => new Target());
      const spread = new Spread(new Set(targets));
      for (let i = 0; i < connections; i++) {
        const chosen = spread.choose(1);
        if (chosen !== null) chosen.count++;
      }
      const counts = targets.map((each) => each.count);
      return Math.max(...counts) - Math.min(...counts) <= 1;
    }),
  );
  t.pass();
});

test('a worker that is empty among full ones gets two of three until it has as many', (t) => {
  const [full, empty] = [new Target(), new Target()];
  full.count = 100;
  const spread = new Spread(new Set([full, empty]));
  for (let i = 0; i < 30; i++) (spread.choose(1) as Target).count++;
  t.is(empty.count, 20);
  for (let i = 0; i < 400; i++) (spread.choose(1) as Target).count++;
  t.true(Math.abs(full.count - empty.count) <= 1);
});

test('a worker that is not ready, or does not take this socket, gets nothing', (t) => {
  const [first, second] = [new Target(), new Target()];
  const targets = new Set([first, second]);
  const spread = new Spread(targets);
  first.isReady = false;
  second.accepts = false;
  t.is(spread.choose(1), null);
  second.accepts = true;
  for (let i = 0; i < 5; i++) t.is(spread.choose(1), second);
  targets.delete(second);
  t.is(spread.choose(1), null);
});
