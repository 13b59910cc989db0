import test from 'ava';
import { createMesh, type MeshConfig, planReload } from '../../src/index.ts';
import { echo, upstream } from './support.ts';

/** Whether a reload keeps the connection to the host, and what the plan says about it. */
const cases: [what: string, change: object, keepsConnections: boolean][] = [
  ['load balancer', { loadBalancer: 'random' }, true],
  ['thresholds', { circuitBreakers: { maxRequests: 7 } }, true],
  ['outlier detection', { outlierDetection: { consecutiveErrors: 7 } }, true],
  ['connect limit', { connectTimeoutMs: 77 }, false],
  ['pool', { pool: { idleTimeoutMs: 7777 } }, false],
  ['codec', { codec: { name: 'http1', config: { maxDrainBytes: 7 } } }, false],
];

for (const [what, change, keepsConnections] of cases) {
  test(`a changed ${what} ${keepsConnections ? 'keeps' : 'replaces'} connections, as the plan says`, async (t) => {
    const { address, sockets } = await upstream(t, echo);
    const config = (more: object): MeshConfig => ({
      clusters: [{ name: 'up', endpoints: [address], ...more }],
    });
    await using mesh = await createMesh(config({}));
    await (await mesh.fetch('http://up/')).text();
    const [first] = sockets;
    const before = mesh.config;
    t.true((await mesh.reload(config(change))).applied);
    await (await mesh.fetch('http://up/')).text();
    const isKept = sockets.size === 1 && sockets.has(first as never);
    const plan = planReload(before, mesh.config)[0];
    t.is(
      plan?.keeps.some((each) => each.startsWith('connections')),
      keepsConnections,
    );
    t.is(isKept, keepsConnections);
  });
}
