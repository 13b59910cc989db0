/** The ways to run a service that the monitor suite compares. */
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '../harness/suite.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const peerModules = fileURLToPath(new URL('../peers/node_modules/', import.meta.url));

export interface MonitorWay {
  readonly name: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Takes captures while it is called, asked for over this socket. */
  readonly controlSocket?: string;
}

/** Where the monitor was compiled to, and the run's directory. */
export interface CompiledMonitor {
  readonly preload: string;
  readonly directory: string;
}

/** Users run the built package: stripping types as we do in development costs memory that they never see. */
export function compileMonitor(directory: string): CompiledMonitor {
  const dist = join(directory, 'dist');
  execFileSync(process.execPath, [join(root, 'build', 'run.ts'), '--without-types', dist], { cwd: root });
  symlinkSync(join(root, 'node_modules'), join(dist, 'node_modules'));
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  return { preload: join(dist, 'src', 'monitor.js'), directory };
}

/** Parts of the monitor alone, run only when `--only` names them: they say where a loss comes from. */
const parts = {
  'heddle without flight recorder': { recorder: false },
  'heddle without heap sampling': { heapSamplingBytes: 0 },
  'heddle without both': { recorder: false, heapSamplingBytes: 0 },
};

/**
 * `missing` are peers that are not installed, as rows with the reason.
 *
 * @param only names to run; `bare` comes with any. Null is all but the parts.
 */
export function waysOf(
  monitor: CompiledMonitor,
  only: readonly string[] | null,
): { found: MonitorWay[]; missing: Row[] } {
  const found: MonitorWay[] = [
    { name: 'bare', flags: [], env: {} },
    monitored(monitor, 'heddle', {}),
    monitored(monitor, 'heddle, pending work duty-cycled', { pending: 'dutyCycle' }),
    capturing(monitor),
    { name: '--cpu-prof', flags: ['--cpu-prof', '--cpu-prof-interval', '10000'], env: {} },
  ];
  const missing: Row[] = [];
  for (const [name, source] of Object.entries(peerSources)) {
    if (existsSync(join(peerModules, name))) {
      const url = `data:text/javascript,${encodeURIComponent(source)}`;
      found.push({ name, flags: ['--import', url], env: {} });
    } else {
      missing.push({ name, reason: 'not installed: npm run bench -- setup' });
    }
  }
  for (const [name, settings] of Object.entries(parts))
    if (only?.includes(name)) found.push(monitored(monitor, name, settings));
  const isWanted = ({ name }: { readonly name: string }): boolean =>
    only === null || name === 'bare' || only.includes(name);
  return { found: found.filter(isWanted), missing: missing.filter(isWanted) };
}

function monitored(monitor: CompiledMonitor, name: string, settings: object): MonitorWay {
  const env = { HEDDLE_MONITOR: JSON.stringify({ service: 'bench', ...settings }) };
  return { name, flags: ['--import', monitor.preload], env };
}

function capturing(monitor: CompiledMonitor): MonitorWay {
  const controlSocket = join(monitor.directory, 'control.sock');
  const settings = { control: { listen: controlSocket } };
  return { ...monitored(monitor, 'heddle during a capture', settings), controlSocket };
}

/** Continuous profilers, each at the settings that its documentation starts with. */
const load = `import { createRequire } from 'node:module'; const load = createRequire(${JSON.stringify(peerModules)});`;
const peerSources: Readonly<Record<string, string>> = {
  '@datadog/pprof': `${load}
const pprof = load('@datadog/pprof');
pprof.time.start({ durationMillis: 60000, intervalMicros: 10000 }); pprof.heap.start(524288, 64);`,
  '@pyroscope/nodejs': `${load}
const pyroscope = load('@pyroscope/nodejs');
pyroscope.init({ serverAddress: 'http://127.0.0.1:9', appName: 'bench' }); pyroscope.start();`,
};
