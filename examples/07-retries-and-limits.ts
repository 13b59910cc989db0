/**
 * What keeps a failing or overloaded service from taking its callers with it: retries where repeating is safe, time
 * limits, a rate limit, and thresholds of the cluster.
 */
import { createMesh } from '../src/index.ts';

const mesh = await createMesh({
  clusters: [
    { name: 'flaky' },
    { name: 'slow', circuitBreakers: { maxRequests: 2, retryBudget: { ratio: 0.2 } } },
  ],
  listeners: [
    {
      name: 'in',
      address: '127.0.0.1:0',
      filters: [{ name: 'local-rate-limit', config: { bucket: { maxTokens: 100 } } }],
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { path: '/flaky' },
              cluster: 'flaky',
              retry: { on: ['gatewayError'], numRetries: 3, backoffBaseMs: 5 },
            },
            { match: { path: '/slow' }, cluster: 'slow', timeoutMs: 50 },
            {
              match: { path: '/limited' },
              directResponse: { status: 200, body: 'fine\n' },
              filterConfigs: { 'local-rate-limit': { bucket: { maxTokens: 2 } } },
            },
          ],
        },
      ],
    },
  ],
});

let tries = 0;
mesh.handle('flaky', () => new Response(`try ${++tries}\n`, { status: tries % 3 === 0 ? 200 : 503 }));
mesh.handle('slow', () => new Promise(() => {}));

/** One request in one line. Answers that the mesh made itself say why in `x-heddle-error`. */
async function call(path: string, method = 'GET'): Promise<string> {
  const response = await fetch(`http://${mesh.listeners.addresses['in']}${path}`, { method });
  const reason = response.headers.get('x-heddle-error') ?? (await response.text()).trim();
  return `${method} ${path} ${response.status} ${reason}`;
}

// Two 503 are dropped and the third try answers.
console.log(await call('/flaky'));
// A POST may have had an effect: it is not repeated unless the route says so.
console.log(await call('/flaky', 'POST'));
// Two requests wait until their time is over; the third is above the threshold and refused at once.
console.log((await Promise.all([call('/slow'), call('/slow'), call('/slow')])).join('\n'));
// The route has a bucket of two tokens.
for (let i = 0; i < 3; i++) console.log(await call('/limited'));

await mesh.close();
