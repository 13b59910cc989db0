/** Contenders that speak h2c on both sides; nginx, which cannot, speaks HTTP/1.1 to the backend. */
import { fileURLToPath } from 'node:url';
import type { Contender } from '../harness/contender.ts';
import { envoy, envoyH2Config } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { heddle, launchConfig } from './heddle.ts';
import { http2Config } from './heddle-config.ts';
import { writeJson } from './json-config.ts';
import { mosn, mosnH2 } from './mosn.ts';
import { nginx } from './nginx.ts';
import { writeConfig } from './template.ts';

const script = fileURLToPath(new URL('node/http2.mjs', import.meta.url));

export const heddleH2: Contender = {
  name: 'heddle h2',
  find: heddle.find,
  launch: (place) =>
    launchConfig(place, http2Config(`127.0.0.1:${place.backendPort}`, `127.0.0.1:${place.port}`)),
};

export const haproxyH2: Contender = {
  name: 'haproxy h2',
  isCompiled: true,
  find: haproxy.find,
  launch: (place) => ({ command: place.path, args: ['-db', '-f', writeConfig('haproxy/h2.cfg', place)] }),
};

export const nginxH2: Contender = {
  name: 'nginx h2 to h1',
  isCompiled: true,
  find: nginx.find,
  launch: (place) => ({
    command: place.path,
    args: ['-p', place.directory, '-e', 'stderr', '-c', writeConfig('nginx/h2.conf', place)],
  }),
};

/** nginx with `grpc_pass`: HTTP/2 to the backend, for gRPC alone. */
export const nginxGrpc: Contender = {
  name: 'nginx grpc_pass',
  isCompiled: true,
  find: nginx.find,
  launch: (place) => ({
    command: place.path,
    args: ['-p', place.directory, '-e', 'stderr', '-c', writeConfig('nginx/grpc.conf', place)],
  }),
};

export const envoyH2: Contender = {
  name: 'Envoy h2',
  isCompiled: true,
  find: envoy.find,
  launch(place) {
    const file = writeJson(place, 'envoy.json', envoyH2Config(place));
    const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
    return { command: place.path, args: ['-c', file, ...options] };
  },
};

export const mosnHttp2: Contender = {
  name: 'MOSN h2',
  isCompiled: true,
  find: mosn.find,
  launch: mosnH2,
};

/** node:http2 as server and as client, with nothing in between but the headers. */
export const nodeHttp2: Contender = {
  name: 'node:http2',
  find: () => Promise.resolve({ version: process.version, path: process.execPath }),
  launch: (place) => ({
    command: process.execPath,
    args: [script, String(place.port), String(place.backendPort)],
    env: { NODE_ENV: 'production' },
  }),
};
