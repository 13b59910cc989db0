import { SeededRandom } from '../../src/core/base/random.ts';
import type { SignalSample } from '../../src/core/contract/signal.ts';
import { defaultRules } from '../../src/diagnostics/rules/defaults.ts';
import { type RuleAction, RuleEngine } from '../../src/diagnostics/rules/engine.ts';

const megabyte = 1024 * 1024;
const daySeconds = 86_400;

/**
 * A healthy service over 24 hours, second by second: load that follows the day, bursts every few minutes, a heap that
 * saws, caches that fill and turn over, deployments' connection ramps, batch jobs that take a core for seconds.
 */
function* healthyDay(seed: number): Generator<SignalSample> {
  const random = new SeededRandom(seed);
  const noise = (size: number): number => (random.next() + random.next() + random.next() - 1.5) * size;
  let heapMb = 60;
  let liveMb = 50;
  let burst = 0;
  let batch = 0;
  let connections = 200;
  let majorGcCount = 0;
  for (let second = 0; second < daySeconds; second++) {
    const load = 0.4 + 0.3 * Math.sin((second / daySeconds) * 2 * Math.PI);
    if (burst === 0 && random.next() < 1 / 300) burst = 2 + Math.floor(random.next() * 20);
    if (batch === 0 && random.next() < 1 / 1800) batch = 2 + Math.floor(random.next() * 60);
    burst = Math.max(0, burst - 1);
    batch = Math.max(0, batch - 1);
    const busy = Math.min(1, load + (burst > 0 ? 0.4 : 0) + (batch > 0 ? 0.5 : 0));
    heapMb += busy * 6 + Math.abs(noise(2));
    liveMb = Math.max(40, Math.min(90, liveMb + noise(1)));
    if (heapMb > liveMb * 1.6) {
      heapMb = liveMb;
      majorGcCount++;
    }
    connections = Math.max(50, connections + noise(10) + (burst > 0 ? 15 : -2));
    const inFlight = Math.max(0, 20 * busy + noise(10) + (burst > 0 ? 30 : 0));
    const cpuPercent = Math.max(0, Math.min(130, busy * 100 + noise(10)));
    const values = {
      cpuPercent,
      mainCpuPercent: Math.min(100, cpuPercent),
      loopDelayP99Ms: Math.max(0, 3 + busy * 25 + Math.abs(noise(15)) + (random.next() < 0.002 ? 180 : 0)),
      stallMs: random.next() < 0.001 ? 150 + random.next() * 250 : 0,
      gcTimePercent: Math.max(0, busy * 8 + noise(4)),
      heapUsedBytes: heapMb * megabyte,
      heapAfterGcBytes: liveMb * megabyte,
      heapOfLimitPercent: heapMb / 20,
      majorGcCount,
      externalBytes: (20 + busy * 10 + Math.abs(noise(5))) * megabyte,
      activeResources: connections + inFlight,
      fileDescriptors: connections + 40,
      serverInFlight: inFlight,
      serverOldestMs: random.next() < 0.01 ? 2500 : 100 + Math.abs(noise(200)),
      clientInFlight: inFlight / 2,
      clientOldestMs: 80 + Math.abs(noise(100)),
      pendingStreams: 0,
      streamOldestMs: 0,
      throttledPercent: batch > 30 ? 20 : 0,
      memoryPercent: 30 + busy * 5,
    };
    yield { atMs: second * 1000, values };
  }
}

/** What the default rules would have captured in that day. Collections that a rule asks for free all garbage. */
export function decideDay(seed: number): RuleAction[] {
  const engine = new RuleEngine(defaultRules, { intervalMs: 1000 });
  const captures: RuleAction[] = [];
  for (const sample of healthyDay(seed)) {
    const actions = engine.step(sample);
    for (const action of actions) {
      if (action.type === 'collect') {
        const live =
          action.rule.signal === 'externalBytes' ? 20 * megabyte : (sample.values['heapAfterGcBytes'] ?? 0);
        captures.push(
          ...engine.confirm(action.rule.name, live, sample.atMs).filter((one) => one.type === 'capture'),
        );
      }
      if (action.type === 'capture') captures.push(action);
    }
  }
  return captures;
}
