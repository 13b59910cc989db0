import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { SeededRandom } from '../../../src/core/base/random.ts';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import type {
  HealthCheckDefinition,
  HostProbe,
  ProbeResult,
} from '../../../src/core/contract/health-check.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { fakeHost, silentLogger } from '../../../src/testing/index.ts';
import { createDialer, DrivenWheel, SystemClock } from '../../../src/transport/index.ts';

const resultNames = ['pass', 'fail', 'failNow'] as const;

/** A server that speaks for itself; `connections` counts what came. */
export async function server(
  t: ExecutionContext,
  onSocket: (socket: Socket, index: number) => void,
): Promise<{ address: string; connections(): number }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket, count++);
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.teardown(async () => {
    const closed = once(listening, 'close');
    listening.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return { address: `127.0.0.1:${(listening.address() as AddressInfo).port}`, connections: () => count };
}

/** Probes of one kind over real sockets. */
export function prober<C>(
  t: ExecutionContext,
  definition: HealthCheckDefinition<C>,
  given: object,
  reuseConnection = true,
): (host: string | Endpoint) => HostProbe {
  const clock = new SystemClock();
  const wheel = new DrivenWheel(clock);
  const config = definition.config['~standard'].validate(given);
  if (config instanceof Promise || config.issues !== undefined) throw new Error(JSON.stringify(config));
  const open = definition.create(config.value, {
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    metrics: new MetricsTable(),
    cluster: 'users',
    dial: createDialer(clock, wheel),
    timeoutMs: 1000,
    reuseConnection,
  });
  return (host) => {
    const probe = open(typeof host === 'string' ? fakeHost(host) : host);
    t.teardown(() => {
      probe.close();
      wheel.close();
    });
    return probe;
  };
}

/** "pass", or the kind of failure with its reason. */
export function ask(probe: HostProbe): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = setTimeout(() => reject(new Error('the check does not end')), 20_000);
  probe.probe((result: ProbeResult, reason: string) => {
    clearTimeout(late);
    resolve(result === 0 ? 'pass' : `${resultNames[result]} ${reason}`);
  });
  return promise;
}
