import type { Command } from 'commander';
import { createMesh, type Mesh } from '../../src/index.ts';
import { clusters, rpcProtocols, Stage, userService, virtualHosts } from '../demo/stage.ts';
import { formatTable, Screen } from '../demo/table.ts';
import { Traffic } from '../demo/traffic.ts';

const loops = 8;
const repaintMs = 250;
const logEveryMs = 1000;
/** Between taking an instance off the list and ending its process; shorter in a short demo. */
const graceMs = 1500;
const leastGraceMs = 600;

interface DemoOptions {
  readonly seconds?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description(
      'three sample services, a standalone proxy and an in-process mesh with live HTTP, Bolt and Dubbo traffic',
    )
    .option('--seconds <n>', 'end by itself after so many seconds (default: until Ctrl-C)')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExample:\n  heddle demo --seconds 5')
    .action(async (options: DemoOptions) => {
      process.exitCode = await runDemo(options);
    });
}

async function runDemo(options: DemoOptions): Promise<number> {
  const seconds = options.seconds === undefined ? Number.POSITIVE_INFINITY : Number(options.seconds);
  if (!(seconds > 0)) {
    console.error(`--seconds ${options.seconds}: a number above 0 is needed`);
    return 2;
  }
  const stage = await Stage.create();
  try {
    const mesh = await createMesh({
      clusters: clusters(stage.listFile, stage.missing === ''),
      inProcess: {
        filters: ['request-id'],
        virtualHosts: virtualHosts(stage.missing === ''),
      },
    });
    try {
      return await play(stage, mesh, seconds, options.json === true);
    } finally {
      await mesh.close();
    }
  } finally {
    await stage[Symbol.asyncDispose]();
  }
}

async function play(stage: Stage, mesh: Mesh, seconds: number, asJson: boolean): Promise<number> {
  const sdk = new Traffic('in-process', async (path) => {
    const response = await mesh.request({ authority: 'users', path });
    return { status: response.status, text: await response.text() };
  });
  const proxied = new Traffic('proxy', async (path) => {
    const response = await fetch(`http://${stage.proxyAddress}${path}`);
    return { status: response.status, text: await response.text() };
  });
  const traffics = [sdk, proxied, ...(stage.missing === '' ? rpcTraffics(stage, mesh) : [])];
  if (stage.missing !== '' && !asJson) console.log(`Bolt and Dubbo are not shown: ${stage.missing}`);
  for (const traffic of traffics) traffic.start(loops);
  const show = display(stage, mesh, traffics, asJson);
  const stop = interrupted();
  const third = Math.min(seconds, 15) / 3;
  try {
    await Promise.race([stop, script(stage, third, show)]);
    await Promise.race([
      stop,
      wait(seconds === Number.POSITIVE_INFINITY ? seconds : Math.max(0, seconds - 2 * third)),
    ]);
  } finally {
    await Promise.all(traffics.map((traffic) => traffic.stop()));
    show.end();
  }
  return summary(traffics, asJson);
}

/** Bolt and Dubbo called by method, and Dubbo behind the proxy as JSON over HTTP. */
function rpcTraffics(stage: Stage, mesh: Mesh): Traffic[] {
  const byMethod = rpcProtocols.map((protocol) => {
    const users = mesh.rpc({ protocol, service: userService, cluster: `${protocol}-users` });
    return new Traffic(protocol, async (path) => {
      const user = await users.invoke('find', [path]);
      return { status: 200, text: JSON.stringify(user) };
    });
  });
  const asJson = new Traffic('json to dubbo', async (path) => {
    const url = `http://${stage.proxyAddress}/${userService}/find`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify([path]) });
    return { status: response.status, text: await response.text() };
  });
  return [...byMethod, asJson];
}

/** One instance leaves, another joins, while calls go on. */
async function script(stage: Stage, pauseSeconds: number, show: Display): Promise<void> {
  await wait(pauseSeconds);
  show.event('users-2 is taken off the list and stopped');
  const ownGraceMs = Math.min(graceMs, Math.max(leastGraceMs, pauseSeconds * 800));
  await stage.removeInstance('users-2', ownGraceMs);
  await wait(Math.max(0, pauseSeconds - ownGraceMs / 1000));
  await stage.addInstance('users-4');
  show.event('users-4 started and joined the list');
}

interface Display {
  event(text: string): void;
  end(): void;
}

function display(stage: Stage, mesh: Mesh, traffics: readonly Traffic[], isSilent: boolean): Display {
  const screen = new Screen();
  const start = performance.now();
  let event = '';
  let proxyRetries = 0;
  const view = () => ({
    elapsedSeconds: (performance.now() - start) / 1000,
    admin: stage.adminAddress,
    event,
    rows: traffics.map((traffic) => ({
      traffic,
      retries: retriesOf(mesh, traffic.name, proxyRetries),
    })),
  });
  const paint = setInterval(() => {
    if (!isSilent) screen.show(formatTable(view()));
  }, repaintMs);
  const poll = setInterval(() => {
    void retriesOfProxy(stage.adminAddress).then((retries) => {
      proxyRetries = retries;
    });
    if (!isSilent) screen.line(formatTable(view()));
  }, logEveryMs);
  return {
    event: (text) => {
      event = text;
      if (!isSilent) screen.line(text);
    },
    end: () => {
      clearInterval(paint);
      clearInterval(poll);
      if (!isSilent) screen.show(formatTable(view()));
    },
  };
}

const retriesName = 'heddle_cluster_retries_total';

function retriesOf(mesh: Mesh, trafficName: string, proxied: number): number {
  if (trafficName === 'proxy' || trafficName === 'json to dubbo') return proxied;
  const cluster = mesh.clusters.get(trafficName === 'in-process' ? 'users' : `${trafficName}-users`);
  return cluster === null ? 0 : (mesh.runtime.metrics.values[cluster.slots.retries] ?? 0);
}

async function retriesOfProxy(admin: string): Promise<number> {
  try {
    const response = await fetch(`http://${admin}/stats?filter=${retriesName}`);
    const stats = (await response.json()) as Record<string, number>;
    return Object.values(stats).reduce((sum, each) => sum + each, 0);
  } catch {
    return 0;
  }
}

function summary(traffics: readonly Traffic[], asJson: boolean): number {
  const lost = traffics.reduce((sum, each) => sum + each.counts.lost, 0);
  const calls = traffics.reduce((sum, each) => sum + each.counts.calls, 0);
  if (asJson) {
    const rows = traffics.map((each) => ({
      name: each.name,
      calls: each.counts.calls,
      lost: each.counts.lost,
      p50Ms: each.quantile(0.5),
      p99Ms: each.quantile(0.99),
      hosts: Object.fromEntries(each.counts.hosts),
    }));
    console.log(JSON.stringify({ calls, lost, rows }));
  } else console.log(`${calls} calls, ${lost} lost`);
  for (const each of traffics) {
    if (each.counts.lost > 0) console.error(`${each.name}: first loss: ${each.counts.firstLoss}`);
  }
  return lost === 0 && calls > 0 ? 0 : 3;
}

const wait = (seconds: number): Promise<void> =>
  new Promise((resolve) => {
    if (seconds !== Number.POSITIVE_INFINITY) setTimeout(resolve, seconds * 1000);
  });

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
