/**
 * `node --import heddle/register app.js`: a mesh without a change of code. Its configuration is the file that
 * HEDDLE_CONFIG names, else `heddle.yaml` beside the nearest package.json; without one, servers are counted and traced
 * and nothing else happens. Calls to names that the mesh knows go through it; servers pass `ingress`.
 *
 * What is wrong is said on stderr and ends the process with exit code 2, so that no security filter is missing unseen;
 * with HEDDLE_FAIL_OPEN=1 the application runs without the mesh instead. Worker threads are left alone.
 */
import { isMainThread } from 'node:worker_threads';
import { begin } from './embedding/register/begin.ts';
import type { Registration } from './embedding/register/registration.ts';

export type { Registration } from './embedding/register/registration.ts';

const nobody: Registration = { configPath: null, mesh: null, unregister: async () => {} };

async function start(): Promise<Registration> {
  const { env } = process;
  try {
    return await begin({ env, program: process.argv[1] ?? '', directory: process.cwd() });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const failsOpen = env['HEDDLE_FAIL_OPEN'] === '1';
    process.stderr.write(`heddle/register: ${text}${failsOpen ? '; the application runs without it' : ''}\n`);
    if (!failsOpen) process.exit(2);
    return nobody;
  }
}

/** What this module has begun: the mesh, and how to take it all back. */
export const registration: Registration = isMainThread ? await start() : nobody;
