/** Heddle itself, launched as an operator would: `heddle run --config FILE`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Availability, Contender, Place } from '../harness/contender.ts';
import { filterNames, type Level, standaloneConfig } from './heddle-config.ts';
import { writeJson } from './json-config.ts';

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
  const path = ['bin/heddle.js', 'bin/heddle.ts'].map((file) => join(repository, file)).find(existsSync);
  if (path === undefined) return Promise.resolve({ version: null, reason: 'no bin/heddle.js' });
  const text = readFileSync(join(repository, 'package.json'), 'utf8');
  return Promise.resolve({ version: (JSON.parse(text) as { version: string }).version, path });
}

function launch(place: Place, level: Level): ReturnType<Contender['launch']> {
  const setting = {
    level,
    hosts: place.hosts,
    backend: `127.0.0.1:${place.backendPort}`,
    log: join(place.directory, 'access.log'),
  };
  const admin = level === 'full' ? `127.0.0.1:${place.adminPort}` : undefined;
  const config = standaloneConfig(setting, `127.0.0.1:${place.port}`, admin);
  const file = writeJson(place, 'heddle.json', config);
  return {
    command: process.execPath,
    args: [place.path, 'run', '--config', file],
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
