import test from 'ava';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { type ClusterSettings, clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Endpoint } from '../../../../src/core/contract/cluster.ts';
import type { HealthCheckConfig } from '../../../../src/core/contract/cluster-health-config.ts';
import { type HostProbe, ProbeResult } from '../../../../src/core/contract/health-check.ts';
import { DrivenWheel } from '../../../../src/transport/system-clock.ts';
import {
  change,
  endpoint,
  endpoints,
  full,
  stream,
  type TestDependencies,
  testDependencies,
} from '../support.ts';

type Done = (result: ProbeResult, reason: string) => void;

/** Probes that answer what the test says, or keep the check waiting. */
class Prober {
  /** By address: a result at once, or null to wait. */
  readonly answers = new Map<string, [ProbeResult, string] | null>();
  readonly waiting = new Map<string, Done>();
  asked: string[] = [];
  cancelled: string[] = [];
  closed: string[] = [];
  byDefault: [ProbeResult, string] | null = [ProbeResult.pass, ''];
  most = 0;

  readonly open = (host: Endpoint): HostProbe => ({
    probe: (done) => {
      this.asked.push(host.address);
      const answer = this.answers.has(host.address) ? this.answers.get(host.address) : this.byDefault;
      if (answer !== null && answer !== undefined) done(...answer);
      else this.waiting.set(host.address, done);
      this.most = Math.max(this.most, this.waiting.size);
    },
    cancel: () => {
      this.cancelled.push(host.address);
      this.waiting.delete(host.address);
    },
    close: () => {
      this.closed.push(host.address);
      this.waiting.delete(host.address);
    },
  });
}

const defaults: HealthCheckConfig = {
  name: 'scripted',
  intervalMs: 1000,
  timeoutMs: 200,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
  intervalJitterMs: 0,
  intervalJitterPercent: 0,
  initialJitterMs: 0,
  noTrafficIntervalMs: 1000,
  reuseConnection: true,
  maxConcurrent: 100,
};

interface Fixture {
  readonly cluster: LiveCluster;
  readonly prober: Prober;
  readonly dependencies: TestDependencies;
  readonly wheel: DrivenWheel;
  /** Lets time pass in steps of the wheel. */
  advance(ms: number): void;
  health(address: string): string;
  made: number;
}

function fixture(check: Partial<HealthCheckConfig> = {}, more: Partial<ClusterSettings> = {}): Fixture {
  const dependencies = testDependencies();
  const prober = new Prober();
  const wheel = new DrivenWheel(dependencies.clock);
  const made = { count: 0 };
  const settings = clusterSettings({
    name: 'c',
    panicThresholdPercent: 0,
    healthCheck: { ...defaults, ...check },
    ...more,
  });
  const openProbes = (): ((host: Endpoint) => HostProbe) => {
    made.count++;
    return prober.open;
  };
  const cluster = createCluster(settings, { ...dependencies, checks: { wheel, openProbes } });
  return {
    cluster,
    prober,
    dependencies,
    wheel,
    advance: (ms) => dependencies.clock.advance(ms),
    health: (address) => cluster.stats().hostStats.find((each) => each.address === address)?.health ?? 'gone',
    get made() {
      return made.count;
    },
  };
}

const fail: [ProbeResult, string] = [ProbeResult.fail, 'connect_failure'];
const pass: [ProbeResult, string] = [ProbeResult.pass, ''];
const counterOf = ({ dependencies }: Fixture, result: string): number =>
  (dependencies.metrics as unknown as { values: Float64Array; counter(n: string, l: object): number }).values[
    (dependencies.metrics as unknown as { counter(n: string, l: object): number }).counter(
      'heddle_cluster_health_checks_total',
      { cluster: 'c', result },
    )
  ] ?? -1;

test('a host that joins gets traffic from its first good check on', (t) => {
  const f = fixture();
  f.cluster.applyDelta(full(endpoint('a:1')));
  t.is(f.health('a:1'), 'unhealthy');
  t.is(f.cluster.chooseHost(stream()), 11);
  t.is(f.cluster.preparing, 'no host has been checked yet');
  f.advance(20);
  t.is(f.health('a:1'), 'healthy', 'the first check comes at once and one is enough');
  t.is(f.cluster.preparing, null);
  t.like(f.cluster.stats().hostStats[0], { check: { last: 'passed', reason: '', failures: 0 } });
  f.advance(10_000);
  t.is(f.prober.asked.length, 11, 'once an interval');
});

test('thresholds: failures in a row take a host out, good checks in a row bring it back; each change is logged once', (t) => {
  const f = fixture({ unhealthyIntervalMs: 500 });
  f.cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  f.advance(20);
  f.prober.answers.set('a:1', fail);
  f.advance(2020);
  t.is(f.health('a:1'), 'healthy', 'two of three');
  f.prober.answers.set('a:1', pass);
  f.advance(1010);
  f.prober.answers.set('a:1', fail);
  f.advance(2020);
  t.is(f.health('a:1'), 'healthy', 'the row begins anew');
  f.advance(1010);
  t.is(f.health('a:1'), 'unhealthy');
  t.is(f.health('b:1'), 'healthy');
  f.advance(5000);
  f.prober.answers.set('a:1', pass);
  f.prober.asked = [];
  f.advance(510);
  t.is(f.prober.asked.filter((address) => address === 'a:1').length, 1, 'the interval of the unhealthy');
  t.is(f.health('a:1'), 'unhealthy', 'one of two');
  f.advance(510);
  t.is(f.health('a:1'), 'healthy');
  const flips = f.dependencies.logger.lines.filter(
    (line) => line.fields['host'] === 'a:1' && line.level !== 'debug',
  );
  t.deepEqual(
    flips.map((line) => [line.level, line.message, line.fields['reason']]),
    [
      ['warn', 'host unhealthy', 'connect_failure'],
      ['info', 'host healthy', undefined],
    ],
  );
});

test('a host that says itself that it is not well goes at once', (t) => {
  const f = fixture();
  f.cluster.applyDelta(full(endpoint('a:1')));
  f.advance(20);
  f.prober.answers.set('a:1', [ProbeResult.failNow, 'status_503']);
  f.advance(1010);
  t.is(f.health('a:1'), 'unhealthy');
  t.like(f.cluster.stats(), { unhealthy: 1, available: 0 });
  t.like(f.cluster.stats().hostStats[0], { check: { last: 'failed', reason: 'status_503', failures: 1 } });
});

test('a check that never answers ends in its timeout and counts as a failure; what comes later is ignored', (t) => {
  const f = fixture({ unhealthyThreshold: 1, healthyThreshold: 1 });
  f.cluster.applyDelta(full(endpoint('a:1')));
  f.advance(20);
  f.prober.answers.set('a:1', null);
  f.advance(1010);
  const late = f.prober.waiting.get('a:1') as Done;
  t.is(f.health('a:1'), 'healthy');
  f.advance(210);
  t.is(f.health('a:1'), 'unhealthy');
  t.deepEqual(f.prober.cancelled, ['a:1']);
  t.is(f.cluster.stats().hostStats[0]?.check?.reason, 'timeout');
  late(...pass);
  t.is(f.health('a:1'), 'unhealthy');
  f.advance(1010);
  t.true(f.prober.waiting.has('a:1'), 'the next check runs');
  late(...pass);
  t.is(f.health('a:1'), 'unhealthy', 'the answer of an earlier check is not that of this one');
  t.is(counterOf(f, 'failed'), 1);
});

test('no more checks run at once than are allowed, and all get their turn', (t) => {
  const f = fixture({ maxConcurrent: 3, timeoutMs: 100 });
  f.prober.byDefault = null;
  f.cluster.applyDelta(full(...endpoints(10)));
  f.advance(20);
  t.is(f.prober.waiting.size, 3);
  f.advance(1000);
  t.is(f.prober.most, 3);
  t.is(new Set(f.prober.asked).size, 10);
  t.is(f.cluster.preparing, null);
});

test('an idle cluster is checked less often until somebody uses it; unhealthy hosts are not left waiting', (t) => {
  const f = fixture({ noTrafficIntervalMs: 60_000 });
  f.prober.answers.set('b:1', fail);
  f.cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  f.advance(20);
  f.prober.asked = [];
  f.advance(30_000);
  t.is(f.prober.asked.filter((address) => address === 'a:1').length, 0);
  t.is(f.prober.asked.filter((address) => address === 'b:1').length, 30);
  const host = f.cluster.chooseHost(stream());
  if (typeof host !== 'number') f.cluster.release(host);
  f.advance(1010);
  t.is(f.prober.asked.filter((address) => address === 'a:1').length, 1, 'within one interval');
  f.advance(10_000);
  t.is(f.prober.asked.filter((address) => address === 'a:1').length, 11);
});

test('a check that succeeds ends an ejection, unless that is switched off', (t) => {
  for (const healthyCheckReturns of [true, false]) {
    const f = fixture(
      {},
      {
        outlierDetection: {
          consecutiveErrors: 2,
          baseEjectionMs: 30_000,
          maxEjectionMs: 300_000,
          maxEjectionPercent: 100,
          healthyCheckReturns,
        },
      },
    );
    f.cluster.applyDelta(full(...endpoints(3)));
    f.advance(20);
    const [host] = f.cluster.hostSet.all;
    if (host === undefined) throw new Error('no host');
    f.cluster.report(host, 500, 0, 1);
    f.cluster.report(host, 500, 0, 1);
    t.is(f.health(host.address), 'ejected');
    f.advance(1010);
    t.is(f.health(host.address), healthyCheckReturns ? 'healthy' : 'ejected');
  }
});

test('an ejected host whose checks fail stays out when its ejection ends', (t) => {
  const f = fixture({ unhealthyThreshold: 1 });
  f.cluster.applyDelta(full(...endpoints(3)));
  f.advance(20);
  const [host] = f.cluster.hostSet.all;
  if (host === undefined) throw new Error('no host');
  f.prober.answers.set(host.address, fail);
  for (let i = 0; i < 5; i++) f.cluster.report(host, 500, 0, 1);
  f.advance(1010);
  t.is(f.health(host.address), 'ejected');
  f.advance(30_000);
  t.is(f.health(host.address), 'unhealthy');
  f.prober.answers.set(host.address, pass);
  f.advance(2030);
  t.is(f.health(host.address), 'healthy');
});

test('a reload that leaves the check alone keeps health and rows; one that changes it begins with what is known', (t) => {
  const f = fixture();
  f.cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  f.prober.answers.set('b:1', fail);
  f.advance(20);
  f.prober.asked = [];
  f.cluster.update({ ...f.cluster.settings, panicThresholdPercent: 0 });
  t.is(f.made, 1);
  f.advance(500);
  t.deepEqual(f.prober.asked, [], 'nothing begins anew');
  f.cluster.update({ ...f.cluster.settings, healthCheck: { ...defaults, intervalMs: 700 } });
  t.is(f.made, 2);
  t.deepEqual(f.prober.closed.sort(), ['a:1', 'b:1']);
  t.is(f.health('a:1'), 'healthy', 'it served before');
  t.is(f.health('b:1'), 'unhealthy');
  f.cluster.update({ ...f.cluster.settings, healthCheck: undefined });
  t.is(f.health('b:1'), 'healthy', 'nobody checks any more');
  t.is(f.wheel.armed, 0);
});

test('hosts that served before checks began keep their traffic until they fail', (t) => {
  const f = fixture({}, { healthCheck: undefined });
  f.cluster.applyDelta(full(endpoint('a:1')));
  f.prober.byDefault = fail;
  f.cluster.update({ ...f.cluster.settings, healthCheck: defaults });
  f.advance(20);
  t.is(f.health('a:1'), 'healthy');
  f.advance(2020);
  t.is(f.health('a:1'), 'unhealthy');
});

test('a host that leaves is not asked any more; close and drain leave nothing armed', (t) => {
  for (const end of ['close', 'drain'] as const) {
    const f = fixture();
    f.prober.byDefault = null;
    f.cluster.applyDelta(full(...endpoints(5)));
    f.advance(20);
    const [first] = f.prober.asked as [string];
    f.cluster.applyDelta(change({ removed: [first] }));
    t.deepEqual(f.prober.closed, [first]);
    f.cluster[end]();
    t.is(f.prober.closed.length, 5);
    t.is(f.wheel.armed, 0);
    f.prober.asked = [];
    f.advance(10_000);
    t.deepEqual(f.prober.asked, []);
  }
});

test('state: who was healthy before a restart need not wait for a check', (t) => {
  const f = fixture();
  f.cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  f.prober.answers.set('b:1', fail);
  f.advance(20);
  const next = fixture();
  next.cluster.restoreState(f.cluster.dumpState());
  t.is(next.health('a:1'), 'healthy');
  t.is(next.health('b:1'), 'unhealthy');
});

test('jitter: hosts do not move in step', (t) => {
  const f = fixture({ intervalJitterPercent: 50, intervalJitterMs: 100, initialJitterMs: 400 });
  f.cluster.applyDelta(full(...endpoints(20)));
  f.advance(200);
  const early = f.prober.asked.length;
  t.true(early > 2 && early < 18, `${early} of 20 within half of the jitter`);
  f.advance(3200);
  const times = f.cluster.stats().hostStats.map((each) => each.check?.agoMs ?? 0);
  t.true(new Set(times).size > 10);
  t.true(f.prober.asked.length >= 20 * 2 && f.prober.asked.length <= 20 * 4);
});

test('50,000 hosts: one timer, first checks spread over the interval', (t) => {
  const f = fixture({ intervalMs: 10_000, initialJitterMs: undefined, noTrafficIntervalMs: 60_000 });
  f.prober.byDefault = null;
  f.cluster.applyDelta(full(...endpoints(50_000)));
  t.is(f.dependencies.clock.pendingTimers, 1, 'the wheel');
  f.prober.byDefault = pass;
  f.advance(1000);
  const first = f.prober.asked.length;
  t.true(first > 4500 && first < 5500, `${first} in the first second`);
  f.advance(9100);
  t.is(f.cluster.preparing, null);
  t.is(f.cluster.hostSet.available.length, 50_000);
  t.is(f.dependencies.clock.pendingTimers, 1);
});
