import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { gateway, proxyProcess, rssBytes, writeConfig } from '../../e2e/support.ts';
import { Scope } from '../../interop/kit/check.ts';
import { upstream } from '../../mesh/support.ts';
import { soakSeconds } from '../seconds.ts';

const mebibyte = 1024 * 1024;
const allowedGrowthBytes = 16 * mebibyte;

/** What only waits for the collector does not look like a leak then, and a leak ends the process. */
const smallHeap = 'export NODE_OPTIONS="--max-old-space-size=64 --max-semi-space-size=2"';

/** A new configuration many times a second under load, every fifth a bad one: no request is lost, memory stays. */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const seconds = soakSeconds(60);
  const { address: host } = await upstream(scope, (_request, response) => void response.end('ok'));
  const proxy = await proxyProcess(scope, gateway(host), ['--no-watch', '--log-level', 'off'], smallHeap);
  const address = proxy.address;
  const dispatcher = new Agent({ connections: 16 });
  scope.teardown(() => dispatcher.close());
  const start = performance.now();
  const isOver = (): boolean => performance.now() - start > seconds * 1000;
  let served = 0;
  const failures: string[] = [];
  const load = async (): Promise<void> => {
    while (!isOver()) {
      try {
        const { statusCode, body } = await request(`http://${address}/`, { dispatcher });
        if (statusCode !== 200 || (await body.text()) !== 'ok') failures.push(String(statusCode));
        served++;
      } catch (thrown) {
        failures.push(String(thrown));
      }
    }
  };
  const loads = Array.from({ length: 16 }, load);
  let reloads = 0;
  let middleBytes = Number.NaN;
  while (!isOver()) {
    await writeConfig(proxy.configPath, configOf(++reloads, host, address));
    proxy.child.kill('SIGHUP');
    await delay(20);
    if (Number.isNaN(middleBytes) && performance.now() - start > seconds * 500)
      middleBytes = await rssBytes(proxy.pid);
  }
  await Promise.all(loads);
  const grown = (await rssBytes(proxy.pid)) - middleBytes;
  console.log(
    `reload-storm: ${reloads} reloads, ${served} requests, ${failures.length} failed, RSS ${(grown / mebibyte).toFixed(1)} MiB more in the second half`,
  );
  if (failures.length > 0) throw new Error(`lost requests, first: ${failures[0]}`);
  if (grown > allowedGrowthBytes) throw new Error(`RSS grew by ${grown} bytes`);
}

/** Changes routes, header, filters, pools, codec settings and the number of clusters in turn. */
function configOf(round: number, host: string, address: string): object {
  if (round % 5 === 0) return { listeners: 'nonsense' };
  const config = gateway(host, {
    address,
    serverHeader: `round-${round}`,
    filters: round % 2 === 0 ? ['request-id'] : [],
    codec: { name: 'http1', config: { maxDrainBytes: 1000 + (round % 3) } },
  });
  const extra = Array.from({ length: round % 4 }, (_, i) => ({ name: `extra-${i}`, endpoints: [host] }));
  const clusters = (config.clusters ?? []).map((each) => ({ ...each, connectTimeoutMs: 1000 + (round % 7) }));
  return { ...config, clusters: [...clusters, ...extra] };
}
