import { signalCatalogue } from './catalogue.ts';

const signals = new Map(signalCatalogue.map((signal) => [signal.name, signal]));

/** Unit of a built-in signal; resources are counts, user signals have their own. */
export function unitOf(signal: string): string {
  return signals.get(signal)?.unit ?? (signal.startsWith('resource:') ? 'count' : unitByName(signal));
}

/** The end of a name tells the unit, as with our own: `user:queueBytes`, `gcHeapPercent`. */
function unitByName(signal: string): string {
  const [, ending = ''] = /(Bytes|Ms|Percent)$/.exec(signal) ?? [];
  return { Bytes: 'bytes', Ms: 'milliseconds', Percent: 'percent' }[ending] ?? '';
}

/** What a signal says, in words; empty for those of the application. */
export const meaningOf = (signal: string): string => signals.get(signal)?.description ?? '';

const byteScales = [
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
] as const;

/** A number with its unit, short: `12.3 MB`, `87 %`, `1.20 s`. */
export function formatValue(value: number, unit: string): string {
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'nanoseconds') return formatValue(value / 1e6, 'milliseconds');
  if (unit === 'milliseconds')
    return Math.abs(value) >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`;
  if (unit === 'percent') return `${value.toFixed(1)} %`;
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

function formatBytes(value: number): string {
  const scale = byteScales.find(([size]) => Math.abs(value) >= size);
  return scale === undefined ? `${Math.round(value)} bytes` : `${(value / scale[0]).toFixed(1)} ${scale[1]}`;
}

/** A signal's value with its unit. */
export const formatSignal = (signal: string, value: number): string => formatValue(value, unitOf(signal));

/** How far a value moved: as a multiple where it is one, else as a difference. */
export function formatChange(from: number, to: number, unit: string): string {
  const ratio = to / from;
  if (from > 0 && ratio >= 2) return `x ${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}`;
  if (from > 0 && unit !== 'percent') return `${ratio >= 1 ? '+' : ''}${Math.round((ratio - 1) * 100)} %`;
  const sign = to >= from ? '+' : '';
  return unit === 'percent'
    ? `${sign}${(to - from).toFixed(1)} points`
    : `${sign}${formatValue(to - from, unit)}`;
}
