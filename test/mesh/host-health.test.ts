import test from 'ava';
import * as v from 'valibot';
import { loadConfigText } from '../../src/core/config/load.ts';
import type { EffectiveConfig } from '../../src/core/contract/config.ts';
import { type HealthCheckDefinition, ProbeResult } from '../../src/core/contract/health-check.ts';
import { createMesh } from '../../src/index.ts';
import { standard } from '../../src/standard.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryLogger } from '../core/cluster/support.ts';
import { answers, meshOf, type Named, servers, who, yaml } from './cluster-support.ts';
import { deadAddress, eventually, tcpUpstream } from './support.ts';

const cluster = (addresses: readonly string[], more: string): string => `
clusters:
  - name: users
    endpoints: ${JSON.stringify(addresses)}
    panicThresholdPercent: 0
    ${more}
`;
const addressesOf = (all: readonly Named[]): string[] => all.map((each) => each.address);
const quick =
  'intervalMs: 20, noTrafficIntervalMs: 20, intervalJitterPercent: 0, healthyThreshold: 1, unhealthyThreshold: 2';

test('HTTP checks: a host that is not well gets no traffic until it is; all of it is shown', async (t) => {
  const all = await servers(t, 3);
  (all[1] as Named).health = 500;
  const logger = new MemoryLogger();
  const text = cluster(addressesOf(all), `healthCheck: { name: http, config: { path: /health }, ${quick} }`);
  const mesh = await meshOf(t, text, { logger });
  t.deepEqual(await answers(mesh, 6), { a: 3, c: 3 }, 'a start waits for the first checks');
  const stats = () => mesh.clusters.get('users')?.stats();
  t.like(stats(), { unhealthy: 1, available: 2 });
  t.like(stats()?.hostStats[1], { health: 'unhealthy', check: { last: 'failed', reason: 'status_500' } });
  (all[1] as Named).health = 200;
  await eventually(() => stats()?.unhealthy === 0, 'the host is well again');
  t.deepEqual(await answers(mesh, 6), { a: 2, b: 2, c: 2 });
  (all[0] as Named).health = 503;
  await eventually(() => stats()?.unhealthy === 1, 'another is not');
  t.deepEqual(await answers(mesh, 4), { b: 2, c: 2 });
  const flips = logger.lines.filter(({ message, level }) => message.startsWith('host ') && level !== 'debug');
  t.deepEqual(
    flips.map(({ message, fields }) => [message, fields['host'], fields['reason']]),
    [
      ['host unhealthy', all[1]?.address, 'status_500'],
      ['host healthy', all[1]?.address, undefined],
      ['host unhealthy', all[0]?.address, 'status_503'],
    ],
  );
  const series = mesh.runtime.metrics.totals().series.filter((each) => each.name.includes('health'));
  t.true(series.some((each) => each.labels['result'] === 'passed' && (each.values[0] ?? 0) > 3));
  t.true(
    series.some((each) => each.name === 'heddle_cluster_health_flips_total' && (each.values[0] ?? 0) >= 5),
  );
});

test('a reload that leaves the check alone goes on; its end makes everybody healthy', async (t) => {
  const all = await servers(t, 2);
  (all[0] as Named).health = 503;
  const check = `healthCheck: { name: http, config: { path: /health }, intervalMs: 60000, noTrafficIntervalMs: 60000 }`;
  const mesh = await meshOf(t, cluster(addressesOf(all), check));
  t.deepEqual(await answers(mesh, 4), { b: 4 });
  const before = all.map((each) => each.checks);
  t.true(
    (await mesh.reload(yaml(cluster(addressesOf(all), `${check}\n    connectTimeoutMs: 5000`)))).applied,
  );
  t.deepEqual(
    all.map((each) => each.checks),
    before,
    'nobody was asked again',
  );
  t.deepEqual(await answers(mesh, 4), { b: 4 });
  t.true((await mesh.reload(yaml(cluster(addressesOf(all), '')))).applied);
  t.deepEqual(await answers(mesh, 4), { a: 2, b: 2 });
});

test('TCP checks: hosts that nobody listens on, that never answer, that answer something else', async (t) => {
  const silent = await tcpUpstream(t, (socket) => socket.resume());
  const wrong = await tcpUpstream(t, (socket) => socket.write('-ERR\r\n').valueOf());
  const right = await tcpUpstream(t, (socket) =>
    socket.on('data', () => socket.write('+PONG\r\n')).valueOf(),
  );
  const addresses = [await deadAddress(), silent.address, wrong.address, right.address];
  const check = 'config: { send: { text: "PING\\r\\n" }, expect: { text: "+PONG" } }, timeoutMs: 500';
  const mesh = await meshOf(t, cluster(addresses, `healthCheck: { name: tcp, ${check}, ${quick} }`));
  const reasons = () =>
    mesh.clusters
      .get('users')
      ?.stats()
      .hostStats.map((each) => each.check?.reason);
  await eventually(
    () => reasons()?.join() === 'connect_failure,timeout,timeout,' && reasons(),
    'each fails in its way',
  );
  await eventually(() => mesh.clusters.get('users')?.stats().available === 1, 'one is well');
  t.like(mesh.clusters.get('users')?.health(), { status: 'degraded' });
});

test('a kind of check of the user’s own; code of this process is always well', async (t) => {
  const all = await servers(t, 2);
  const asked: string[] = [];
  const even: HealthCheckDefinition<{ bad: string }> = {
    name: 'even',
    config: v.strictObject({ bad: v.string() }),
    create:
      ({ bad }) =>
      (host) => ({
        probe: (done) => {
          asked.push(host.address);
          if (host.address === bad) done(ProbeResult.failNow, 'odd');
          else done(ProbeResult.pass, '');
        },
        cancel() {},
        close() {},
      }),
  };
  const own = { ...standard, healthChecks: [...standard.healthChecks, even] };
  const check = `healthCheck: { name: even, config: { bad: "${all[0]?.address}" } }`;
  const text = `${cluster(addressesOf(all), check)}
  - { name: app, ${check} }
`;
  const { config } = loadConfigText(text, { path: 'heddle.yaml' }, own);
  const mesh = await createMesh(config as EffectiveConfig, { use: [{ healthChecks: [even] }] });
  t.teardown(() => mesh.close());
  t.deepEqual(await answers(mesh, 4), { b: 4 });
  mesh.handle('app', () => new Response('here'));
  await eventually(async () => (await who(mesh, {}, 'app')) === 'here', 'the handler is well');
  t.deepEqual(asked.sort(), addressesOf(all).sort());
});

test('a start does not wait longer for checks than for lists', async (t) => {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const silent = await tcpUpstream(t, (socket) => socket.resume());
  const check = 'healthCheck: { name: http, timeoutMs: 3600000 }';
  const starting = meshOf(t, cluster([silent.address], check), { clock, logger });
  await eventually(() => {
    clock.advance(100);
    return logger.lines.some((line) => line.message === 'no host has been checked yet');
  }, 'the start gives up');
  const mesh = await starting;
  t.is(await who(mesh), 'no_host');
});

test('gateway errors in a row eject, other errors do not', async (t) => {
  const all = await servers(t, 2);
  const outlier =
    'outlierDetection: { consecutiveErrors: 0, consecutiveGatewayErrors: 3, maxEjectionPercent: 50 }';
  const mesh = await meshOf(t, cluster(addressesOf(all), outlier));
  (all[0] as Named).status = 500;
  t.deepEqual(await answers(mesh, 20), { 500: 10, b: 10 });
  (all[0] as Named).status = 503;
  t.deepEqual(await answers(mesh, 20), { 503: 3, b: 17 });
});

test('what a host does not answer may count by itself', async (t) => {
  const all = await servers(t, 2);
  const outlier =
    'outlierDetection: { consecutiveErrors: 1, splitLocalOriginErrors: true, consecutiveLocalOriginErrors: 4, maxEjectionPercent: 50 }';
  const mesh = await meshOf(t, cluster(addressesOf(all), outlier));
  (all[0] as Named).status = 0;
  const counts = await answers(mesh, 20);
  t.is(20 - (counts['b'] ?? 0), 4);
});

test('rates: success rate, failure percentage and relative error rate eject once an interval', async (t) => {
  for (const kind of [
    'successRate: { minHosts: 3, requestVolume: 10, stdevFactor: 1.1 }',
    'failurePercentage: { thresholdPercent: 60, minHosts: 2, requestVolume: 10 }',
    'relativeErrorRate: { multiple: 2, requestVolume: 10 }',
  ]) {
    const clock = new FakeClock();
    const all = await servers(t, 4);
    (all[2] as Named).status = 500;
    const outlier = `outlierDetection: { consecutiveErrors: 0, intervalMs: 2000, ${kind}, maxEjectionPercent: 50 }`;
    const mesh = await meshOf(t, cluster(addressesOf(all), outlier), { clock });
    t.deepEqual(await answers(mesh, 40), { a: 10, b: 10, d: 10, 500: 10 });
    clock.advance(2000);
    t.deepEqual(await answers(mesh, 6), { a: 2, b: 2, d: 2 }, kind);
    clock.advance(30_000);
    (all[2] as Named).status = 200;
    t.is((await answers(mesh, 8))['c'], 2, 'back after its time');
  }
});
