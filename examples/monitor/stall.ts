/**
 * A service that stalls, and the monitor that says why: `node examples/monitor/stall.ts`.
 * It ends by itself after some seconds and prints the likely cause.
 */
import { createMonitor, type Verdict } from '../../src/diagnostics/index.ts';

function sumPrimes(untilMs: number): number {
  let sum = 0;
  for (let candidate = 2; Date.now() < untilMs; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++)
      if (candidate % divisor === 0) isPrime = false;
    if (isPrime) sum += candidate;
  }
  return sum;
}

await using monitor = await createMonitor({ service: 'example', warmUpMs: 500 });
console.log(`captures go to ${monitor.directory}`);

setTimeout(() => sumPrimes(Date.now() + 2000), 1000);
await new Promise((resolve) => setTimeout(resolve, 5000));

for (const capture of await monitor.captures()) {
  const { cause } = capture.verdict as Verdict;
  console.log(`${capture.trigger.rule}: ${cause.text}`);
  for (const file of capture.files) console.log(`  ${file.name}`);
}
