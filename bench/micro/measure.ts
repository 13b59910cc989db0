/**
 * Nanoseconds of one call of `run`: the least and the median of many short rounds, after a warm-up. Short ones, because
 * on a shared machine some of them are not disturbed.
 */
export function measure(run: () => void, rounds = 200, roundMs = 4): { min: number; median: number } {
  for (let spent = 0; spent < warmUpMs; ) spent += timeOf(run, 1000);
  const calls = Math.ceil((1000 * roundMs) / timeOf(run, 1000));
  const results: number[] = [];
  for (let i = 0; i < rounds; i++) results.push((timeOf(run, calls) * 1e6) / calls);
  results.sort((a, b) => a - b);
  return { min: results[0] as number, median: results[rounds >> 1] as number };
}

const warmUpMs = 300;

function timeOf(run: () => void, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}

export function report(name: string, run: () => void, limitNs?: number): number {
  const { min, median } = measure(run);
  const limit = limitNs === undefined ? '' : `  limit ${limitNs}${min > limitNs ? '  MISSED' : ''}`;
  process.stdout.write(
    `${name.padEnd(44)} ${min.toFixed(0).padStart(6)} ns  median ${median.toFixed(0).padStart(6)}${limit}\n`,
  );
  return min;
}
