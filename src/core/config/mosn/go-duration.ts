const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Milliseconds of a Go duration such as "300ms", "1h30m" or "1.5s" (`time.ParseDuration`); null when it is none or
 * negative. Parts of a millisecond round up: a limit never becomes 0, which would mean "no limit".
 */
export function parseGoDuration(text: string): number | null {
  const plain = text.startsWith('+') ? text.slice(1) : text;
  if (plain === '0' || plain === '-0') return 0;
  let sum = 0;
  let length = 0;
  for (const [all, amount, unit] of plain.matchAll(part)) {
    sum += Number(amount) * (nanoseconds[unit as string] as number);
    length += all.length;
  }
  return length === 0 || length !== plain.length ? null : millisecondsOf(sum);
}

/** Milliseconds of Go's nanoseconds, rounded up. */
export function millisecondsOf(nanos: number): number {
  // A thousandth of a nanosecond is what binary fractions of "0.1s" may be off by.
  return Math.ceil(nanos / 1e6 - 1e-9);
}
