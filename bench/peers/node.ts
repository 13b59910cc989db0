/** The npm peers: each a small server of its own in bench/peers/node, with header rewriting only. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Availability, Contender } from '../harness/contender.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** @param packageName whose version is shown. */
function nodePeer(name: string, script: string, packageName: string): Contender {
  return {
    name,
    work: { request: ['x-forwarded-for', 'x-forwarded-proto'], response: ['x-served-by'] },
    find: () => Promise.resolve(findPackage(packageName)),
    launch: (place) => ({
      command: process.execPath,
      args: [`${here}node/${script}.mjs`, String(place.port), String(place.backendPort)],
      env: { NODE_ENV: 'production' },
    }),
  };
}

function findPackage(name: string): Availability {
  const file = `${here}node_modules/${name}/package.json`;
  if (!existsSync(file)) {
    return { version: null, reason: `no ${name}; run "npm run bench -- setup" (npm ci in bench/peers)` };
  }
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { version, path: file };
}

export const undici = nodePeer('undici', 'undici', 'undici');
const fastifyHttpProxy = nodePeer('@fastify/http-proxy', 'fastify-http-proxy', '@fastify/http-proxy');
const fastProxy = nodePeer('fast-proxy', 'fast-proxy', 'fast-proxy');
const httpProxy3 = nodePeer('http-proxy-3', 'http-proxy-3', 'http-proxy-3');

export const nodePeers: readonly Contender[] = [undici, fastifyHttpProxy, fastProxy, httpProxy3];

/** No proxy for HTTP: the bound that Node's sockets set to all that are written in JavaScript. */
export const netFloor: Contender = {
  name: 'net floor',
  find: () => Promise.resolve({ version: process.version, path: process.execPath }),
  launch: (place) => ({
    command: process.execPath,
    args: [`${here}node/net-floor.mjs`, String(place.port), String(place.backendPort)],
    env: { NODE_ENV: 'production' },
  }),
};

/** A proxy for a framed protocol as it is written first; needs no package beyond the repository's. */
const naive = (protocol: string): Contender => ({
  name: `naive ${protocol}`,
  find: () => Promise.resolve({ version: process.version, path: process.execPath }),
  launch: (place) => ({
    command: process.execPath,
    args: [`${here}node/naive-${protocol}.mjs`, String(place.port), String(place.backendPort)],
    env: { NODE_ENV: 'production' },
  }),
});

export const naiveBolt: Contender = naive('bolt');
export const naiveDubbo: Contender = naive('dubbo');
