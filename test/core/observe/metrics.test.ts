import test from 'ava';
import fc from 'fast-check';
import { HeddleError } from '../../../src/core/base/errors.ts';
import {
  BucketFinder,
  bucketCount,
  bucketLower,
  bucketUpper,
  quantileOf,
} from '../../../src/core/observe/histogram-buckets.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { formatPrometheus, shownBorders } from '../../../src/core/observe/prometheus.ts';

const count = (metrics: MetricsTable, slot: number, by = 1): void => {
  metrics.values[slot] = (metrics.values[slot] as number) + by;
};
const total = (metrics: MetricsTable, name: string): number | undefined =>
  metrics.totals().series.find((each) => each.name === name)?.values[0];

test('the same name and labels give the same slot, in whatever order the labels stand', (t) => {
  const metrics = new MetricsTable();
  t.is(metrics.counter('a_total', { x: '1', y: '2' }), metrics.counter('a_total', { y: '2', x: '1' }));
  t.not(metrics.counter('a_total', { x: '1' }), metrics.counter('a_total', { x: '2' }));
});

test('growing replaces the values and keeps what was counted', (t) => {
  const metrics = new MetricsTable();
  const first = metrics.counter('first_total');
  const before = metrics.values;
  count(metrics, first, 7);
  for (let i = 0; i < 10; i++) metrics.histogram('h_ms', { i: String(i) });
  t.not(metrics.values, before);
  t.is(metrics.values[first], 7);
});

test('series beyond the cap share _other, and _other cannot be released', (t) => {
  const metrics = new MetricsTable({ maxSeriesPerName: 2 });
  metrics.counter('a_total', { who: '1' });
  metrics.counter('a_total', { who: '2' });
  const third = metrics.counter('a_total', { who: '3' });
  t.is(metrics.counter('a_total', { who: '4' }), third);
  metrics.release('a_total', { who: '_other' });
  t.is(metrics.counter('a_total', { who: '5' }), third);
  t.true(formatPrometheus(metrics.snapshot()).includes('a_total{who="_other"} 0'));
});

test('a released series gives its slots to the next, cleared, and makes room below the cap', (t) => {
  const metrics = new MetricsTable({ maxHistogramsPerName: 1 });
  const first = metrics.histogram('h_ms', { host: 'a' });
  metrics.record(first, 5);
  metrics.release('h_ms', { host: 'a' });
  const second = metrics.histogram('h_ms', { host: 'b' });
  t.is(second, first);
  t.true(Number.isNaN(metrics.quantile(second, 0.5)));
});

test('a name cannot change its kind, and names Prometheus refuses are refused here', (t) => {
  const metrics = new MetricsTable();
  metrics.counter('a_total');
  const codeOf = (run: () => void): string => t.throws(run, { instanceOf: HeddleError })?.code ?? '';
  t.is(
    codeOf(() => metrics.gauge('a_total')),
    'ERR_OPTION_INVALID',
  );
  t.is(
    codeOf(() => metrics.counter('a-b')),
    'ERR_OPTION_INVALID',
  );
  t.is(
    codeOf(() => metrics.counter('b_total', { 'x-y': '' })),
    'ERR_OPTION_INVALID',
  );
});

test('buckets join without a gap and every value lies in its own', (t) => {
  for (let i = 0; i < bucketCount - 1; i++) t.is(bucketUpper(i), bucketLower(i + 1));
  const finder = new BucketFinder();
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2e6, noNaN: true }), (value) => {
      const index = finder.find(value);
      return bucketLower(index) <= value && value < bucketUpper(index);
    }),
    { numRuns: 2000 },
  );
  t.is(finder.find(Number.NaN), 0);
  t.is(finder.find(-1), 0);
  t.is(finder.find(Number.POSITIVE_INFINITY), bucketCount - 1);
});

test('a quantile is right to 1/32 of itself', (t) => {
  const metrics = new MetricsTable();
  const histogram = metrics.histogram('h_ms');
  const recorded: number[] = [];
  for (let i = 1; i <= 5000; i++) {
    const value = ((i * 7919) % 5003) / 10 + 0.01;
    recorded.push(value);
    metrics.record(histogram, value);
  }
  recorded.sort((a, b) => a - b);
  for (const quantile of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = recorded[Math.ceil(quantile * recorded.length) - 1] as number;
    const shown = metrics.quantile(histogram, quantile);
    t.true(Math.abs(shown - exact) <= exact / 32, `p${quantile}: ${shown} for ${exact}`);
  }
});

test('merging the same generation again replaces it, another generation adds to it', (t) => {
  const metrics = new MetricsTable();
  const worker = new MetricsTable({ instance: 'w1', generation: 1 });
  const slot = worker.counter('calls_total');
  count(worker, slot, 5);
  metrics.merge(worker.snapshot());
  metrics.merge(worker.snapshot());
  t.is(total(metrics, 'calls_total'), 5);
  count(worker, slot, 2);
  metrics.merge(worker.snapshot());
  t.is(total(metrics, 'calls_total'), 7);
  const restarted = new MetricsTable({ instance: 'w1', generation: 2 });
  count(restarted, restarted.counter('calls_total'), 1);
  metrics.merge(restarted.snapshot());
  t.is(total(metrics, 'calls_total'), 8);
  t.is(metrics.snapshot().series.find((each) => each.name === 'calls_total')?.values[0], 0);
});

test('a generation that is closed keeps its numbers and is refused afterwards', (t) => {
  const metrics = new MetricsTable();
  const report = (generation: number): void => {
    const worker = new MetricsTable({ instance: 'w1', generation });
    count(worker, worker.counter('calls_total'), 10 ** (generation - 1));
    metrics.merge(worker.snapshot());
  };
  for (const generation of [1, 2, 3, 1]) report(generation);
  t.is(total(metrics, 'calls_total'), 111);
  t.is(total(metrics, 'heddle_metrics_merge_refused_total'), 1);
});

test('a merged histogram answers quantiles over all processes; gauges stay at home', (t) => {
  const metrics = new MetricsTable();
  const worker = new MetricsTable({ instance: 'w1' });
  for (let i = 0; i < 10; i++) worker.record(worker.histogram('h_ms'), 100);
  worker.values[worker.gauge('active')] = 3;
  metrics.merge(worker.snapshot());
  const merged = metrics.totals().series.find((each) => each.name === 'h_ms');
  t.true(Math.abs(quantileOf(merged?.values ?? [], 0.5) - 100) < 4);
  t.is(total(metrics, 'active'), undefined);
});

test('a malformed snapshot changes nothing', (t) => {
  const metrics = new MetricsTable();
  const series = [{ name: 'h_ms', kind: 'histogram', labels: {}, values: [1, 2] }] as const;
  metrics.merge({ version: 1, instance: 'w', generation: 1, series });
  t.is(total(metrics, 'h_ms'), undefined);
  t.is(total(metrics, 'heddle_metrics_merge_refused_total'), 1);
});

test('every border that Prometheus is shown is one of our own, so that its counts are exact', (t) => {
  const own = new Set(Array.from({ length: bucketCount }, (_, i) => bucketLower(i)));
  t.deepEqual(
    shownBorders.filter((border) => !own.has(border)),
    [],
  );
});

test('the text format: types, escaped labels, seconds, cumulative buckets', (t) => {
  const metrics = new MetricsTable();
  count(metrics, metrics.counter('heddle_a_total', { path: 'a"b\\c\nd' }), 3);
  const histogram = metrics.histogram('heddle_wait_ms', { cluster: 'users' });
  for (const ms of [0.1, 1, 3, 300, 1e9]) metrics.record(histogram, ms);
  const lines = formatPrometheus(metrics.snapshot()).split('\n');
  t.true(lines.includes('# TYPE heddle_a_total counter'));
  t.true(lines.includes(String.raw`heddle_a_total{path="a\"b\\c\nd"} 3`));
  t.true(lines.includes('# TYPE heddle_wait_seconds histogram'));
  t.true(lines.includes('heddle_wait_seconds_bucket{cluster="users",le="0.00025"} 1'));
  t.true(lines.includes('heddle_wait_seconds_bucket{cluster="users",le="0.0025"} 2'));
  t.true(lines.includes('heddle_wait_seconds_bucket{cluster="users",le="0.512"} 4'));
  t.true(lines.includes('heddle_wait_seconds_bucket{cluster="users",le="+Inf"} 5'));
  t.true(lines.includes('heddle_wait_seconds_count{cluster="users"} 5'));
  t.true(lines.includes('heddle_wait_seconds_sum{cluster="users"} 1000000.3041'));
  t.is(lines.at(-1), '');
});
