import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contender } from '../harness/contender.ts';
import { findProgram, type Installable, peerCache } from './find.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('./go/', import.meta.url));
const binary = join(peerCache, 'reverseproxy');

/** Go's httputil.ReverseProxy with header rewriting only. */
export const reverseProxy: Contender = {
  name: 'Go ReverseProxy',
  work: { request: ['x-forwarded-for', 'x-forwarded-proto'], response: ['x-served-by'] },
  async find() {
    if (!existsSync(binary)) {
      return { version: null, reason: 'not built; run "npm run bench -- setup" (needs Go)' };
    }
    return findProgram({
      program: 'go',
      versionArgs: ['version', binary],
      pattern: /go(\d[\d.]*)/,
      hint: 'install Go',
    }).then((found) => (found.version === null ? found : { ...found, path: binary }));
  },
  launch: (place) => ({ command: place.path, args: [String(place.port), String(place.backendPort)] }),
};

/** Builds the binary into the cache. */
export const reverseProxyInstall: Installable = {
  name: reverseProxy.name,
  find: reverseProxy.find,
  async install() {
    await run('go', ['build', '-trimpath', '-o', binary, '.'], { cwd: source });
  },
};
