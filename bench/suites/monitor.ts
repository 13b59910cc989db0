/** What the monitor costs: an idle service, a service under load, during a capture; beside what others cost. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, residentBytes, sampleCpu } from '../harness/proc.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';

const app = fileURLToPath(new URL('../cases/http-app.mjs', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const peerModules = fileURLToPath(new URL('../peers/node_modules/', import.meta.url));
/** The first seconds of a process say nothing: modules load, code is compiled. */
const settleMs = 6000;
/** As fast as it is answered: the service fills its core, so CPU a request is throughput. */
const load = { connections: 16 };

/** Stands for the compiled monitor, whose place only the run knows. */
const monitorFlag = '{monitor}';

/** One way to run the service. */
interface Way {
  readonly name: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const settings = (value: object): Record<string, string> => ({
  HEDDLE_MONITOR: JSON.stringify({ service: 'bench', ...value }),
});
const monitored = (name: string, value: object): Way => ({
  name,
  flags: ['--import', monitorFlag],
  env: settings(value),
});

const ways: readonly Way[] = [
  { name: 'bare', flags: [], env: {} },
  monitored('heddle', {}),
  monitored('heddle without flight recorder', { recorder: false }),
  monitored('heddle, pending work duty-cycled', { pending: 'dutyCycle' }),
  { name: '--cpu-prof', flags: ['--cpu-prof', '--cpu-prof-interval', '10000'], env: {} },
  ...peerWays(),
];

/** Continuous profilers that are installed under bench/peers. */
function peerWays(): Way[] {
  const sources: Record<string, string> = {
    '@datadog/pprof': `import { createRequire } from 'node:module';
const pprof = createRequire(${JSON.stringify(peerModules)})('@datadog/pprof');
pprof.time.start({ durationMillis: 60000, intervalMicros: 10000 }); pprof.heap.start(524288, 64);`,
    '@pyroscope/nodejs': `import { createRequire } from 'node:module';
const pyroscope = createRequire(${JSON.stringify(peerModules)})('@pyroscope/nodejs');
pyroscope.init({ serverAddress: 'http://127.0.0.1:9', appName: 'bench' }); pyroscope.start();`,
  };
  return Object.entries(sources)
    .filter(([name]) => existsSync(join(peerModules, name)))
    .map(([name, source]) => ({
      name,
      flags: ['--import', `data:text/javascript,${encodeURIComponent(source)}`],
      env: {},
    }));
}

interface Figures {
  readonly idle: number[];
  readonly usPerRequest: number[];
  readonly p99Us: number[];
  readonly rssMb: number[];
}

/** Users run the compiled package: stripping types as we do in development costs memory that they never see. */
function compile(directory: string): string {
  const dist = join(directory, 'dist');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist], { cwd: root });
  symlinkSync(join(root, 'node_modules'), join(dist, 'node_modules'));
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  return join(dist, 'src', 'monitor.js');
}

async function run(bench: Bench): Promise<SuiteResult> {
  const monitor = compile(bench.directory);
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const figures = new Map<string, Figures>();
  for (const { name } of ways) figures.set(name, { idle: [], usPerRequest: [], p99Us: [], rssMb: [] });
  for (let round = 0; round < bench.rounds; round++) {
    // Every other round backwards: what a machine does over time hits both ends alike.
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      const flags = way.flags.map((flag) => (flag === monitorFlag ? monitor : flag));
      await measure(bench, place, { ...way, flags }, figures.get(way.name) as Figures);
    }
  }
  const bare = figures.get('bare') as Figures;
  const rows = ways.map(({ name }) => rowOf(name, figures.get(name) as Figures, bare));
  for (const name of ['@datadog/pprof', '@pyroscope/nodejs']) {
    if (!figures.has(name)) rows.push({ name, reason: 'not installed under bench/peers' });
  }
  const own = figures.get('heddle') as Figures;
  const duty = figures.get('heddle, pending work duty-cycled') as Figures;
  return {
    rows,
    measures: [
      { id: 'monitor.idlePercent', value: rounded(difference(own.idle, bare.idle)) },
      { id: 'monitor.armedLossPercent', value: rounded(lossPercent(own, bare)) },
      { id: 'monitor.pendingPercent', value: rounded(lossPercent(duty, own)) },
      { id: 'monitor.rssMb', value: rounded(difference(own.rssMb, bare.rssMb)) },
    ],
  };
}

async function measure(bench: Bench, place: LoadPlace, way: Way, figures: Figures): Promise<void> {
  const directory = join(bench.directory, `captures-${way.name.replaceAll(/\W+/g, '-')}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const child = bench.children.start({
    command: process.execPath,
    args: [...way.flags, app],
    env: { HEDDLE_PROFILES: directory, ...way.env },
    cwd: directory,
    core: bench.cores.proxy,
    pipe: true,
    log: join(bench.directory, 'app.log'),
  });
  const pid = child.pid ?? 0;
  const port = await portOf(child.stdout as NodeJS.ReadableStream);
  await sleep(settleMs);
  const clock = place.tools.cpuclock;
  const idle = sampleCpu(pid, clock);
  await sleep(bench.seconds * 1000);
  const busy = sampleCpu(pid, clock);
  figures.idle.push((cpuBetween(idle, busy).totalUs / 1e6 / bench.seconds) * 100);
  figures.rssMb.push(residentBytes(pid) / 1048576);
  await runLoad(place, { port, ...load, seconds: 2 });
  const before = sampleCpu(pid, clock);
  const report = await runLoad(place, { port, ...load, seconds: bench.seconds });
  const used = cpuBetween(before, sampleCpu(pid, clock)).totalUs;
  if (report.errors > 0) throw new Error(`${way.name}: ${report.firstError}`);
  figures.usPerRequest.push(used / report.answered);
  figures.p99Us.push(report.p99Us);
  await bench.children.stop(child);
  bench.progress(
    `${way.name}: idle ${figures.idle.at(-1)?.toFixed(2)} %, ${figures.usPerRequest.at(-1)?.toFixed(1)} us a request, ${figures.rssMb.at(-1)?.toFixed(0)} MB`,
  );
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  for await (const chunk of output) {
    const port = /ready (\d+)/.exec(String(chunk))?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the service did not start');
}

const difference = (mine: readonly number[], bare: readonly number[]): number =>
  (median(mine) ?? 0) - (median(bare) ?? 0);

/** The service fills its core, so more CPU a request is so much less throughput. */
const lossPercent = (mine: Figures, bare: Figures): number =>
  (difference(mine.usPerRequest, bare.usPerRequest) / (median(bare.usPerRequest) ?? 1)) * 100;

function rowOf(name: string, figures: Figures, bare: Figures): Row {
  return {
    name,
    idlePercent: rounded(median(figures.idle)),
    usPerRequest: rounded(median(figures.usPerRequest)),
    lossPercent: rounded(lossPercent(figures, bare)),
    p99Us: rounded(median(figures.p99Us)),
    rssMb: rounded(median(figures.rssMb)),
  };
}

export const suite: Suite = {
  about: 'what the monitor costs a service, idle and under load, beside other profilers',
  goals: ['monitor.idlePercent', 'monitor.armedLossPercent', 'monitor.pendingPercent', 'monitor.rssMb'],
  rounds: 3,
  seconds: 6,
  run,
};
