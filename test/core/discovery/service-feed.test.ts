import test from 'ava';
import fc from 'fast-check';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import { Debounce } from '../../../src/core/discovery/debounce.ts';
import { FactsTable } from '../../../src/core/discovery/facts-table.ts';
import { ServiceFeed } from '../../../src/core/discovery/service-feed.ts';
import { endpoint, endpoints, ManualClock, MemoryLogger } from '../cluster/support.ts';
import { Follower } from './support.ts';

test('a burst runs once after it is quiet, and at the latest after the longest wait', (t) => {
  const clock = new ManualClock();
  let runs = 0;
  const debounce = new Debounce(clock, { quietMs: 100, maxMs: 1000 }, () => runs++);
  debounce.call();
  clock.advance(99);
  debounce.call();
  clock.advance(99);
  t.is(runs, 0);
  clock.advance(1);
  t.is(runs, 1);
  for (let i = 0; i < 100; i++) {
    debounce.call();
    clock.advance(50);
  }
  t.true(runs >= 5 && runs <= 6, `${runs}`);
  debounce.cancel();
  clock.advance(5000);
  t.is(clock.pendingTimers, 0);
});

test('whatever lists come, followers end with the last one and the deltas never contradict', (t) => {
  const list = fc.array(
    fc.record({
      i: fc.integer({ min: 0, max: 12 }),
      weight: fc.integer({ min: 0, max: 3 }),
      v: fc.constantFrom('1', '2'),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(fc.array(list, { minLength: 1, maxLength: 12 }), (lists) => {
      const clock = new ManualClock();
      const feed = new ServiceFeed('s', clock, new MemoryLogger(), { allowEmpty: true });
      const early = new Follower();
      feed.subscribe(early.listen);
      let last: Endpoint[] = [];
      for (const each of lists) {
        last = each.map(({ i, weight, v }) => endpoint(`h${i}.test:1`, { weight, metadata: { v } }));
        feed.publish(last);
        clock.advance(60);
      }
      clock.advance(2000);
      const late = new Follower();
      feed.subscribe(late.listen);
      const expected = [...new Map(last.map((each) => [each.address, each])).values()];
      return [early, late].every(
        (follower) =>
          follower.addresses.length === expected.length &&
          expected.every((each) => {
            const known = follower.get(each.address);
            return known?.weight === each.weight && known.metadata['v'] === each.metadata['v'];
          }),
      );
    }),
    { seed: 11, numRuns: 300 },
  );
  t.pass();
});

test('an empty list is refused while a good one serves, also one that still waits', (t) => {
  const clock = new ManualClock();
  const feed = new ServiceFeed('s', clock, new MemoryLogger());
  const follower = new Follower();
  feed.subscribe(follower.listen);
  t.true(feed.publish(endpoints(2)));
  t.true(feed.publish(endpoints(3)));
  t.false(feed.publish([]));
  clock.advance(100);
  t.is(follower.addresses.length, 3);
  const fresh = new ServiceFeed('s', clock, new MemoryLogger());
  t.true(fresh.publish([]), 'the first list may be empty');
  t.true(fresh.hasList);
});

test('equal metadata is one object whatever the order of its keys, different metadata is not', (t) => {
  const table = new FactsTable();
  const share = (metadata: Record<string, string>) => table.share(endpoint('a:1', { metadata })).metadata;
  t.is(share({ a: '1', b: '2' }), share({ b: '2', a: '1' }));
  t.not(share({ a: '1', b: '2' }), share({ a: '1","b":"2' }));
  t.is(share({}), share({}));
  for (let i = 0; i < 10_000; i++) share({ id: String(i) });
  t.true(table.size <= 4096);
});

test('a listener that leaves while a delta is told harms nobody', (t) => {
  const feed = new ServiceFeed('s', new ManualClock(), new MemoryLogger());
  const follower = new Follower();
  const leave = feed.subscribe(() => leave());
  feed.subscribe(follower.listen);
  feed.publish(endpoints(1));
  t.is(follower.addresses.length, 1);
  t.is(feed.listenerCount, 1);
});

test('changes alone lead to the same list as whole lists', (t) => {
  const change = fc.record({
    put: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
    removed: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
    weight: fc.integer({ min: 1, max: 3 }),
    waitMs: fc.constantFrom(0, 50, 2000),
  });
  const at = (i: number): string => `10.0.0.${i}:80`;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const clock = new ManualClock();
      const feed = new ServiceFeed('s', clock, new MemoryLogger(), { allowEmpty: true });
      const follower = new Follower();
      feed.subscribe(follower.listen);
      const expected = new Map<string, number>();
      for (const { put, removed, weight, waitMs } of changes) {
        for (const i of removed) expected.delete(at(i));
        for (const i of put) expected.set(at(i), weight);
        feed.apply({ put: put.map((i) => endpoint(at(i), { weight })), removed: removed.map(at) });
        clock.advance(waitMs);
      }
      feed.flush();
      const known = follower.addresses.map((each) => [each, follower.get(each)?.weight]);
      t.deepEqual(known, [...expected].toSorted());
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('changes that would empty a list are refused unless they are meant, and what comes next starts anew', (t) => {
  const clock = new ManualClock();
  let refused = 0;
  const feed = new ServiceFeed('s', clock, new MemoryLogger(), { onRefused: () => refused++ });
  const follower = new Follower();
  feed.subscribe(follower.listen);
  feed.apply({ put: endpoints(2), removed: [] });
  const both = follower.addresses;
  feed.apply({ put: [], removed: both });
  clock.advance(100);
  t.is(refused, 1);
  t.deepEqual(follower.addresses, both);
  feed.apply({ put: [endpoint('10.9.9.9:80')], removed: [] });
  clock.advance(100);
  t.deepEqual(follower.addresses, ['10.9.9.9:80']);
  feed.apply({ put: [], removed: ['10.9.9.9:80'], isEmptyMeant: true });
  clock.advance(100);
  t.deepEqual(follower.addresses, []);
  t.is(refused, 1);
});

test('a list that is emptied and filled again within a burst is never refused', (t) => {
  const clock = new ManualClock();
  const feed = new ServiceFeed('s', clock, new MemoryLogger(), { onRefused: () => t.fail() });
  const follower = new Follower();
  feed.subscribe(follower.listen);
  feed.apply({ put: endpoints(1), removed: [] });
  feed.apply({ put: [], removed: follower.addresses });
  clock.advance(50);
  feed.apply({ put: [endpoint('10.9.9.9:80')], removed: [] });
  clock.advance(1000);
  t.deepEqual(follower.addresses, ['10.9.9.9:80']);
});
