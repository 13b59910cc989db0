import type { MetricsSnapshot } from '../contract/metrics.ts';
import { bucketUpper, countAt, sumAt } from './histogram-buckets.ts';
import { labelText } from './labels.ts';

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The borders shown for histograms: few enough to scrape, and all of them borders of our own buckets, so that every
 * cumulative count is exact (250 ms is no border, 256 ms is).
 */
export const shownBorders: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 256, 512, 1024, 2560, 5120, 10_240, 30_720, 61_440,
];
const milliseconds = '_ms';

/**
 * The Prometheus text format 0.0.4. A histogram `..._ms` is shown in seconds as `..._seconds`, Prometheus's base unit.
 * Families come in the order of their first series, so that two scrapes differ in numbers only.
 */
export function formatPrometheus(snapshot: MetricsSnapshot): string {
  const families = new Map<string, MetricsSnapshot['series'][number][]>();
  for (const each of snapshot.series) {
    const family = families.get(each.name);
    if (family === undefined) families.set(each.name, [each]);
    else family.push(each);
  }
  const lines: string[] = [];
  for (const [name, family] of families) formatFamily(name, family, lines);
  lines.push('');
  return lines.join('\n');
}

function formatFamily(name: string, family: MetricsSnapshot['series'], lines: string[]): void {
  const kind = family[0]?.kind ?? 'counter';
  const inSeconds = kind === 'histogram' && name.endsWith(milliseconds);
  const shown = inSeconds ? `${name.slice(0, -milliseconds.length)}_seconds` : name;
  lines.push(`# TYPE ${shown} ${kind}`);
  for (const each of family) {
    const labels = labelText(each.labels);
    if (kind === 'histogram') formatHistogram(shown, labels, each.values, inSeconds ? 0.001 : 1, lines);
    else
      lines.push(`${shown}${labels === '' ? '' : `{${labels}}`} ${formatNumber(each.values[0] as number)}`);
  }
}

function formatHistogram(
  name: string,
  labels: string,
  values: readonly number[],
  scale: number,
  lines: string[],
): void {
  const prefix = labels === '' ? '' : `${labels},`;
  const suffix = labels === '' ? '' : `{${labels}}`;
  let seen = 0;
  let index = 0;
  for (const border of shownBorders) {
    while (bucketUpper(index) <= border) seen += values[index++] as number;
    lines.push(`${name}_bucket{${prefix}le="${formatNumber(round(border * scale))}"} ${seen}`);
  }
  const count = values[countAt] as number;
  lines.push(`${name}_bucket{${prefix}le="+Inf"} ${count}`);
  lines.push(`${name}_sum${suffix} ${formatNumber(round((values[sumAt] as number) * scale))}`);
  lines.push(`${name}_count${suffix} ${count}`);
}

/** Takes the noise off a product such as 0.1 * 0.001. */
function round(value: number): number {
  return Number(value.toPrecision(15));
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
