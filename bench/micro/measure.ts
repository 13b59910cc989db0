/** Nanoseconds of one call of `run`: the least and the median of several rounds, after a warm-up. */
export function measure(run: () => void, rounds = 15, roundMs = 60): { min: number; median: number } {
  let calls = 1000;
  for (let spent = 0; spent < roundMs; calls *= 2) spent = timeOf(run, calls);
  const results: number[] = [];
  for (let i = 0; i < rounds; i++) results.push((timeOf(run, calls) * 1e6) / calls);
  results.sort((a, b) => a - b);
  return { min: results[0] as number, median: results[rounds >> 1] as number };
}

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
