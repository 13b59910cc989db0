import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { type StreamCollector, streamsChannel } from '../../src/core/contract/pending-stream.ts';
import { collectStreams } from '../../src/diagnostics/hooks/streams.ts';

test('streams of every mesh are grouped by route, upstream and phase with their ages', (t) => {
  t.deepEqual(collectStreams(), { count: 0, oldestMs: 0, groups: [] });
  const tell = (message: unknown): void => {
    const collector = message as StreamCollector;
    for (const ageMs of [10, 30, 20])
      collector.add({ route: 'orders', upstream: 'stock', phase: 'awaitUpstream', ageMs });
    collector.add({ route: 'orders', upstream: 'stock', phase: 'chooseHost', ageMs: 1 });
  };
  subscribe(streamsChannel, tell);
  const { count, oldestMs, groups } = collectStreams();
  unsubscribe(streamsChannel, tell);
  t.is(count, 4);
  t.is(oldestMs, 30);
  const waiting = {
    route: 'orders',
    upstream: 'stock',
    phase: 'awaitUpstream',
    count: 3,
    oldestMs: 30,
    medianMs: 20,
  };
  t.deepEqual(groups[0], waiting);
});

test('routes of strangers cannot make more than two hundred groups', (t) => {
  const tell = (message: unknown): void => {
    const collector = message as StreamCollector;
    for (let index = 0; index < 1000; index++)
      collector.add({ route: `r${index}`, upstream: 'u', phase: 'decode', ageMs: 1 });
  };
  subscribe(streamsChannel, tell);
  const { groups } = collectStreams();
  unsubscribe(streamsChannel, tell);
  t.is(groups.length, 201);
  t.is(groups.at(-1)?.route, '(other)');
});
