/** Heddle itself, launched as an operator would: `heddle run --config FILE`. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { MeshConfig } from '../../src/core/config/input.ts';
import { boltConfig, filterNames as boltFilters } from '../harness/bolt-frames.ts';
import type { LaunchSpec } from '../harness/children.ts';
import type { Availability, Contender, Place } from '../harness/contender.ts';
import { dubboConfig, filterNames as dubboFilters } from '../harness/dubbo-frames.ts';
import { Unavailable } from '../harness/suite.ts';
import { filterNames, type Level, standaloneConfig, tcpConfig } from './heddle-config.ts';
import { writeJson } from './json-config.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Heddle that only forwards. */
export const heddle: Contender = { name: 'heddle', find, launch: (place) => launch(place, 'bare') };

/** Heddle with ten filters at work, a virtual host for each name, metrics and access log. */
export const heddleFull: Contender = {
  name: 'heddle full',
  work: {
    request: ['x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-heddle-bench', 'x-tenant-group'],
    response: ['access-control-allow-origin', 'x-served-by'],
    log: 'access.log',
  },
  find,
  launch: (place) => launch(place, 'full'),
  async verify(place) {
    const response = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
    const silent = idleFilters(await response.text(), filterNames);
    return silent.map((name) => `the filter ${name} did nothing: its counters stayed 0`);
  },
};

function find(): Promise<Availability> {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  return Promise.resolve({ version, path: join(repository, 'bin/heddle.js') });
}

/**
 * Builds what users install, as `npm run build` does, into the run's directory. Sources that Node strips of their types
 * at start would leave 80 MiB of free heap behind, in which the cost of connections hides.
 *
 * @throws Unavailable when it does not build
 */
async function build(directory: string): Promise<string> {
  mkdirSync(join(directory, 'bin'), { recursive: true });
  copyFileSync(join(repository, 'bin/heddle.js'), join(directory, 'bin/heddle.js'));
  copyFileSync(join(repository, 'package.json'), join(directory, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
  const args = ['build/run.ts', '--without-types', join(directory, 'dist')];
  const problem = await run(process.execPath, args, { cwd: repository }).then(
    () => 'no dist/bin/cli.js',
    (error: { stderr?: string; message: string }) => (error.stderr || error.message).split('\n')[0],
  );
  if (!existsSync(join(directory, 'dist/bin/cli.js')))
    throw new Unavailable(`heddle does not build: ${problem}`);
  return join(directory, 'bin/heddle.js');
}

async function launch(place: Place, level: Level): Promise<Omit<LaunchSpec, 'core'>> {
  const setting = {
    level,
    hosts: place.hosts,
    backend: `127.0.0.1:${place.backendPort}`,
    log: join(place.directory, 'access.log'),
  };
  const admin = level === 'full' ? `127.0.0.1:${place.adminPort}` : undefined;
  return launchConfig(place, standaloneConfig(setting, `127.0.0.1:${place.port}`, admin));
}

/** Heddle that passes bytes on. */
export const heddleTcp: Contender = {
  name: 'heddle tcp',
  find,
  launch: (place) =>
    launchConfig(place, tcpConfig(`127.0.0.1:${place.backendPort}`, `127.0.0.1:${place.port}`)),
};

/** Heddle that routes Bolt by service, with six filters at work. */
export const heddleBolt: Contender = {
  name: 'heddle bolt',
  find,
  launch: (place) =>
    launchConfig(
      place,
      boltConfig(
        { backend: `127.0.0.1:${place.backendPort}`, level: 'full' },
        `127.0.0.1:${place.port}`,
        `127.0.0.1:${place.adminPort}`,
      ),
    ),
  async verify(place) {
    const response = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
    const silent = idleFilters(await response.text(), boltFilters);
    return silent.map((name) => `the filter ${name} did nothing: its counters stayed 0`);
  },
};

/** Heddle that routes Dubbo by service, with six filters at work. */
export const heddleDubbo: Contender = {
  name: 'heddle dubbo',
  find,
  launch: (place) =>
    launchConfig(
      place,
      dubboConfig(
        `127.0.0.1:${place.backendPort}`,
        `127.0.0.1:${place.port}`,
        `127.0.0.1:${place.adminPort}`,
      ),
    ),
  async verify(place) {
    const response = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
    const silent = idleFilters(await response.text(), dubboFilters);
    return silent.map((name) => `the filter ${name} did nothing: its counters stayed 0`);
  },
};

/** Heddle with a configuration of its own. */
export async function launchConfig(place: Place, config: MeshConfig): Promise<Omit<LaunchSpec, 'core'>> {
  const file = writeJson(place, 'heddle.json', config);
  return {
    command: process.execPath,
    args: [await build(place.directory), 'run', '--no-watch', '--config', file],
    env: { NODE_ENV: 'production' },
  };
}

/** Of these filters the ones of which every counter in this Prometheus text is 0 or missing. */
export function idleFilters(text: string, names: readonly string[]): string[] {
  const lines = text.split('\n');
  return names.filter((name) => {
    const prefix = `heddle_filter_${name.replaceAll('-', '_')}_`;
    return !lines.some((line) => line.startsWith(prefix) && Number(line.split(' ').at(-1)) > 0);
  });
}
