import test from 'ava';
import { MetricsView } from '../../../src/assembly/supervisor/metrics-view.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';

/** What one process counts. */
function counting(requests: number, active: number, hosts = 3): MetricsTable {
  const table = new MetricsTable();
  table.values[table.counter('requests_total', { listener: 'in' })] = requests;
  table.values[table.gauge('active', { listener: 'in' })] = active;
  table.values[table.gauge('heddle_cluster_hosts', { cluster: 'up' })] = hosts;
  const histogram = table.histogram('time_ms', {});
  for (let i = 0; i < requests; i++) table.record(histogram, 8);
  return table;
}

function shown(view: MetricsView): Record<string, number | undefined> {
  return Object.fromEntries(view.totals().series.map(({ name, values }) => [name, values.at(-1)]));
}

test('counters and histograms are sums over all processes, gauges over those that live', (t) => {
  const view = new MetricsView();
  view.take(1, 1, counting(5, 2).snapshot());
  view.take(2, 1, counting(7, 1).snapshot());
  view.take(1, 1, counting(6, 2).snapshot());
  t.deepEqual(shown(view), { requests_total: 13, time_ms: 13, active: 3, heddle_cluster_hosts: 3 });
  view.left(1);
  t.deepEqual(shown(view), { requests_total: 13, time_ms: 13, active: 1, heddle_cluster_hosts: 3 });
  view.take(1, 2, counting(1, 1).snapshot());
  t.deepEqual(shown(view), { requests_total: 14, time_ms: 14, active: 2, heddle_cluster_hosts: 3 });
});

test('a worker that is replaced many times keeps every count', (t) => {
  const view = new MetricsView();
  for (let generation = 1; generation <= 10; generation++) {
    view.take(1, generation, counting(generation, 0).snapshot());
    view.left(1);
  }
  t.is(shown(view)['requests_total'], 55);
});

test('a series that a live worker gave back goes once no other has it', (t) => {
  const view = new MetricsView();
  const [one, two] = [counting(1, 0), counting(1, 0)];
  for (const table of [one, two]) table.values[table.counter('host_total', { host: 'a' })] = 4;
  view.take(1, 1, one.snapshot());
  view.take(2, 1, two.snapshot());
  t.is(shown(view)['host_total'], 8);
  one.release('host_total', { host: 'a' });
  view.take(1, 1, one.snapshot());
  t.is(shown(view)['host_total'], 4);
  two.release('host_total', { host: 'a' });
  view.take(2, 1, two.snapshot());
  t.false('host_total' in shown(view));
  t.is(shown(view)['requests_total'], 2);
});
