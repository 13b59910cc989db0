import { styleText } from 'node:util';
import type { Capture, Profile, Verdict } from '../../src/diagnostics/index.ts';
import { describeFrame, framesTo, topFunctions, totalOf } from '../../src/diagnostics/index.ts';

/** Bytes, nanoseconds and counts as people read them. */
export function formatValue(value: number, unit: string): string {
  const scales: Record<string, readonly (readonly [number, string])[]> = {
    nanoseconds: [
      [1e9, 's'],
      [1e6, 'ms'],
      [1e3, 'us'],
      [1, 'ns'],
    ],
    bytes: [
      [2 ** 30, 'GiB'],
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
      [1, 'B'],
    ],
  };
  const scale = scales[unit]?.find(([size]) => Math.abs(value) >= size);
  return scale === undefined
    ? String(Math.round(value * 100) / 100)
    : `${(value / scale[0]).toFixed(2)} ${scale[1]}`;
}

/** Columns with their widths taken from the contents; the last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

export interface TopView {
  readonly limit: number;
  readonly by: 'flat' | 'cumulative';
}

/** The costliest functions of a profile as a table. */
export function formatTop(profile: Profile, { limit, by }: TopView): string {
  if (profile.kind === 'coroutines') return formatChains(profile, limit);
  const type = profile.sampleTypes[profile.defaultSampleType];
  const unit = type?.unit ?? 'count';
  const took = profile.durationMs < 50 ? '' : ` in ${(profile.durationMs / 1000).toFixed(1)} s`;
  const head = `${profile.kind}: ${type?.type ?? ''} ${formatValue(totalOf(profile), unit)}${took}`;
  if (profile.samples.length === 0) return `${head}: nothing was seen`;
  const rows = topFunctions(profile, { limit, by }).map(
    ({ name, file, line, flat, flatRatio, cumulative, cumulativeRatio }) => [
      formatValue(flat, unit),
      percent(flatRatio),
      formatValue(cumulative, unit),
      percent(cumulativeRatio),
      file === '' ? name : `${name} (${file}:${line})`,
    ],
  );
  return `${head}\n${formatTable([['flat', 'flat%', 'cum', 'cum%', 'function'], ...rows])}`;
}

/** Suspended async functions as await chains, innermost first, with how many there are of each. */
function formatChains(profile: Profile, limit: number): string {
  const chains = profile.samples
    .map(({ node, values }) => ({ count: values[profile.defaultSampleType] ?? 0, node }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  const rows = chains.slice(0, limit).map(({ count, node }) => {
    const frames = framesTo(profile, node).toReversed();
    return [String(count), frames.map(describeFrame).join(' < ')];
  });
  const rest = chains.length - rows.length;
  const more = rest > 0 ? [`and ${rest} more chains`] : [];
  return [
    ...profile.comments,
    formatTable([['count', 'who waits < who awaits that'], ...rows]),
    ...more,
  ].join('\n');
}

/** The stacks of a profile, what runs first on top, heaviest stack first: what a profile of one moment is read for. */
export function formatStacks(profile: Profile, limit: number): string {
  const sums = new Map<string, number>();
  for (const { node, values } of profile.samples) {
    const stack = framesTo(profile, node)
      .toReversed()
      .map((frame) => `  ${describeFrame(frame)}`)
      .join('\n');
    if (stack !== '') sums.set(stack, (sums.get(stack) ?? 0) + (values[profile.defaultSampleType] ?? 0));
  }
  const total = totalOf(profile);
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([stack, value]) => `${percent(total === 0 ? 0 : value / total)} of the time:\n${stack}`)
    .join('\n');
}

export const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)}%`;

/** One line for a capture: when, which process, why, what it is. */
export function captureLine(capture: Capture): string[] {
  const { cause, title } = capture.verdict as Verdict;
  const guilty = cause?.guilty === undefined ? '' : ` in ${cause.guilty.name}`;
  return [
    new Date(capture.startMs).toISOString(),
    `${capture.service}[${capture.pid}]`,
    capture.trigger.rule,
    cause === undefined ? title : `${cause.name}${guilty}`,
  ];
}

/** A note of heddle's own on stderr, told apart from what the application writes. */
export function note(text: string): void {
  console.error(`${styleText('dim', 'heddle:')} ${text}`);
}
