import type { RequestListener } from 'node:http';
import type { ExecutionContext } from 'ava';
import type { Surroundings } from '../../src/assembly/runtime.ts';
import { loadConfigText } from '../../src/core/config/load.ts';
import type { EffectiveConfig } from '../../src/core/contract/config.ts';
import { createMesh, HeddleError, type Mesh } from '../../src/index.ts';
import { standard } from '../../src/standard.ts';
import { upstream } from './support.ts';

/** A server that answers its name, as long as the test does not say otherwise. */
export interface Named {
  readonly name: string;
  readonly address: string;
  /** Of answers to calls; 0 hangs up. */
  status: number;
  /** Of answers to "/health"; 0 never answers. */
  health: number;
  calls: number;
  checks: number;
}

async function named(t: ExecutionContext, name: string): Promise<Named> {
  const state = { name, status: 200, health: 200, calls: 0, checks: 0 };
  const answer: RequestListener = (request, response) => {
    request.resume();
    if (request.url === '/health') {
      state.checks++;
      if (state.health !== 0) response.writeHead(state.health).end();
      return;
    }
    state.calls++;
    if (state.status === 0) request.socket.destroy();
    else response.writeHead(state.status).end(name);
  };
  const { address } = await upstream(t, answer);
  return Object.assign(state, { address });
}

/** Several, called a, b, c ... */
export function servers(t: ExecutionContext, count: number): Promise<Named[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => named(t, String.fromCharCode(97 + i))));
}

/** A configuration as it stands in a file. */
export function yaml(text: string): EffectiveConfig {
  const { config, problems } = loadConfigText(text, { path: 'heddle.yaml' }, standard);
  if (config === null) throw new Error(JSON.stringify(problems, null, 2));
  return config;
}

/** The mesh that a YAML file describes. */
export async function meshOf(
  t: ExecutionContext,
  text: string,
  surroundings: Partial<Surroundings> = {},
): Promise<Mesh> {
  const mesh = await createMesh(yaml(text), { surroundings });
  t.teardown(() => mesh.close());
  return mesh;
}

/** Who answers: the name of the server, the status where it is not 200, or the reason why nobody does. */
export async function who(
  mesh: Mesh,
  headers: Readonly<Record<string, string>> = {},
  authority = 'users',
): Promise<string> {
  try {
    const response = await mesh.request({ authority, headers });
    const text = await response.text();
    return response.status === 200 ? text : String(response.status);
  } catch (thrown) {
    return String(HeddleError.from(thrown, 'ERR_BUG').context['reason']);
  }
}

/** How often each answers. */
export async function answers(
  mesh: Mesh,
  count: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const name = await who(mesh, headers);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
