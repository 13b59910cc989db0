/** The ways to run a service that the monitor suite compares. */
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Row } from '../harness/suite.ts';
import { moduleUrl } from './monitored-service.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const peerModules = fileURLToPath(new URL('../peers/node_modules/', import.meta.url));

export interface MonitorWay {
  readonly name: string;
  /** How users start a service with it; null where it cannot be on from the start. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Source of a module that exports `on` and `off`; see switched-app.mjs. */
  readonly switch: string;
  /** Seconds that it is on for in a cycle: as long as everything takes that is done now and then. */
  readonly onSeconds: number;
  /** Only called, not watched while idle. */
  readonly busyOnly?: boolean;
  /** Of a goal: called in every round, the others in the first two only. */
  readonly everyRound?: boolean;
}

/** Where the monitor was compiled to. */
export interface CompiledMonitor {
  readonly preload: string;
  /** URL of the module with `createMonitor`. */
  readonly module: string;
}

/** Users run the built package: stripping types as we do in development costs memory that they never see. */
export function compileMonitor(directory: string): CompiledMonitor {
  const dist = join(directory, 'dist');
  execFileSync(process.execPath, [join(root, 'build', 'run.ts'), '--without-types', dist], { cwd: root });
  symlinkSync(join(root, 'node_modules'), join(dist, 'node_modules'));
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  const module = pathToFileURL(join(dist, 'src', 'diagnostics', 'index.js')).href;
  return { preload: join(dist, 'src', 'monitor.js'), module };
}

/** One turn of the flight recorder's window and of the count of collections. */
const monitorCycleSeconds = 10;
/** One duty cycle of pending-work tracking. */
const dutyCycleSeconds = 20;
const plainSeconds = 5;

/** Parts of the monitor alone, run only when `--only` names them: they say where a loss comes from. */
const parts = {
  'heddle without flight recorder': { recorder: false },
  'heddle without heap sampling': { heapSamplingBytes: 0 },
  'heddle without both': { recorder: false, heapSamplingBytes: 0 },
};

/**
 * `missing` are peers that are not installed, as rows with the reason.
 *
 * @param only names to run. Null is all but the parts.
 */
export function waysOf(
  monitor: CompiledMonitor,
  only: readonly string[] | null,
): { found: MonitorWay[]; missing: Row[] } {
  const found: MonitorWay[] = [
    bare,
    { ...monitored(monitor, 'heddle', {}), everyRound: true },
    pendingWork(monitor),
    capturing(monitor),
    cpuProf,
  ];
  const missing: Row[] = [];
  for (const [name, source] of Object.entries(peerSources)) {
    if (existsSync(join(peerModules, name))) found.push(peer(name, source));
    else missing.push({ name, reason: 'not installed: npm run bench -- setup' });
  }
  for (const [name, settings] of Object.entries(parts))
    if (only?.includes(name)) found.push(monitored(monitor, name, settings));
  const isWanted = ({ name }: { readonly name: string }): boolean => only === null || only.includes(name);
  return { found: found.filter(isWanted), missing: missing.filter(isWanted) };
}

/** Nothing is switched: what its loss differs from 0 is the error of the others. */
const bare: MonitorWay = {
  name: 'bare',
  flags: [],
  env: {},
  switch: 'export const on = () => {}; export const off = () => {};',
  onSeconds: plainSeconds,
};

function monitored(monitor: CompiledMonitor, name: string, more: object): MonitorWay {
  const settings = { service: 'bench', ...more };
  return {
    name,
    flags: ['--import', monitor.preload],
    env: { HEDDLE_MONITOR: JSON.stringify(settings) },
    switch: `${switchMonitor(monitor)}
export const on = () => turn(${JSON.stringify(settings)}); export const off = () => turn();`,
    onSeconds: monitorCycleSeconds,
  };
}

const switchMonitor = ({ module }: CompiledMonitor): string => `
import { createMonitor } from ${JSON.stringify(module)};
let monitor;
const turn = async (settings) => {
  await monitor?.stop();
  monitor = settings && await createMonitor(settings);
};`;

/** Against a monitor without: the difference is what the tracking costs. */
function pendingWork(monitor: CompiledMonitor): MonitorWay {
  const plain = { service: 'bench' };
  const duty = { ...plain, pending: 'dutyCycle' };
  return {
    ...monitored(monitor, 'heddle with pending work', { pending: 'dutyCycle' }),
    switch: `${switchMonitor(monitor)}
export const on = () => turn(${JSON.stringify(duty)}); export const off = () => turn(${JSON.stringify(plain)});`,
    onSeconds: dutyCycleSeconds,
    everyRound: true,
  };
}

/** One capture after the other, as long as those of most rules; encoding and verdict count. */
function capturing(monitor: CompiledMonitor): MonitorWay {
  return {
    ...monitored(monitor, 'heddle during captures', {}),
    switch: `${switchMonitor(monitor)}
let rounds = 0;
export const off = () => { rounds++; return turn(); };
export const on = async () => {
  await turn({ service: 'bench' });
  const round = ++rounds;
  const again = () => {
    if (round === rounds) monitor.capture({ kinds: ['cpu'], durationMs: 3000 }).then(again, () => {});
  };
  again();
};`,
    busyOnly: true,
  };
}

/** What the flag does, by the inspector: a flag cannot be switched. */
const cpuProf: MonitorWay = {
  name: '--cpu-prof',
  flags: ['--cpu-prof', '--cpu-prof-interval', '10000'],
  env: {},
  switch: `
import { Session } from 'node:inspector/promises';
const session = new Session(); session.connect();
let isOn = false;
export const on = async () => {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 10000 });
  await session.post('Profiler.start'); isOn = true;
};
export const off = async () => { if (isOn) await session.post('Profiler.stop'); isOn = false; };`,
  onSeconds: plainSeconds,
};

function peer(name: string, source: string): MonitorWay {
  const load = `import { createRequire } from 'node:module'; const load = createRequire(${JSON.stringify(peerModules)});`;
  const code = `${load}${source}`;
  return {
    name,
    flags: ['--import', moduleUrl(`${code} on();`)],
    env: {},
    switch: code,
    onSeconds: plainSeconds,
  };
}

/** Continuous profilers, each at the settings that its documentation starts with. */
const peerSources: Readonly<Record<string, string>> = {
  '@datadog/pprof': `
const pprof = load('@datadog/pprof');
let isOn = false;
export const on = () => { pprof.time.start({ durationMillis: 60000, intervalMicros: 10000 }); pprof.heap.start(524288, 64); isOn = true; };
export const off = () => { if (isOn) { pprof.time.stop(); pprof.heap.stop(); } isOn = false; };`,
  '@pyroscope/nodejs': `
const pyroscope = load('@pyroscope/nodejs');
pyroscope.init({ serverAddress: 'http://127.0.0.1:9', appName: 'bench' });
let isOn = false;
export const on = () => { pyroscope.start(); isOn = true; };
export const off = async () => { if (isOn) await pyroscope.stop(); isOn = false; };`,
};
