import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { CertificateFolder, createMesh, type Mesh } from '../../../src/index.ts';
import type { Scope } from '../../interop/kit/check.ts';

const hourMs = 3_600_000;
const rotationLimitMs = 10_000;

export interface RotationResult {
  readonly rotations: number;
  readonly calls: number;
  readonly handshakes: number;
  readonly failures: readonly string[];
}

/**
 * Two meshes with mutual TLS between them and calls all the time, while every certificate gets a new key again and
 * again. Each connection carries five calls, so that handshakes go on all the time, too.
 *
 * @throws Error when a rotation is not taken over in time
 */
export async function rotateUnderLoad(
  scope: Pick<Scope, 'teardown'>,
  rotations: number,
  callers = 8,
): Promise<RotationResult> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-rotation-'));
  scope.teardown(() => rm(path, { recursive: true, force: true }));
  const folder = new CertificateFolder(path);
  await folder.init('soak.local', 24 * hourMs);
  const [caller, service] = [
    await folder.issue({ name: 'caller', lifetimeMs: hourMs }),
    await folder.issue({ name: 'service', lifetimeMs: hourMs }),
  ];
  const ca = join(path, 'ca.pem');
  const server = await serving(ca, service);
  scope.teardown(() => server.close());
  const mesh = await createMesh({
    clusters: [
      {
        name: 'service',
        endpoints: [server.listeners.addresses['in'] as string],
        pool: { maxRequestsPerConnection: 5 },
        tls: { ca, certificate: pairOf(caller), trustDomain: 'soak.local' },
      },
    ],
  });
  scope.teardown(() => mesh.close());
  const failures: string[] = [];
  let calls = 0;
  let isOver = false;
  const call = async (): Promise<void> => {
    while (!isOver) {
      try {
        const response = await mesh.fetch('http://service/');
        if (response.status !== 200 || (await response.text()) !== 'well')
          failures.push(String(response.status));
      } catch (thrown) {
        failures.push(String(thrown));
      }
      calls++;
      await turn();
    }
  };
  const all = Array.from({ length: callers }, call);
  try {
    for (let done = 0; done < rotations; done++) {
      const before = [applied(server, 'listener'), applied(mesh, 'cluster')] as const;
      await folder.rotate([], true);
      await until(() => applied(server, 'listener') > before[0] && applied(mesh, 'cluster') > before[1]);
    }
  } finally {
    isOver = true;
    await Promise.all(all);
  }
  const handshakes = total(server, 'heddle_listener_tls_handshakes_total');
  return { rotations, calls, handshakes, failures };
}

function serving(ca: string, service: { cert: string; key: string }): Promise<Mesh> {
  const routes = [{ directResponse: { status: 200, body: 'well' } }];
  return createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        tls: {
          certificates: [pairOf(service)],
          clientCertificate: 'required',
          ca,
          trustDomain: 'soak.local',
        },
        virtualHosts: [{ name: 'all', domains: ['*'], routes }],
      },
    ],
  });
}

const pairOf = ({ cert, key }: { cert: string; key: string }): { cert: string; key: string } => ({
  cert,
  key,
});

async function until(look: () => boolean): Promise<void> {
  const untilMs = performance.now() + rotationLimitMs;
  while (!look()) {
    if (performance.now() > untilMs) throw new Error('a rotation was not taken over');
    await delay(10);
  }
}

const applied = (mesh: Mesh, side: string): number =>
  total(mesh, `heddle_${side}_tls_reloads_total`, 'applied');

function total(mesh: Mesh, name: string, result?: string): number {
  let sum = 0;
  for (const series of mesh.runtime.metrics.snapshot().series) {
    if (series.name !== name) continue;
    if (result === undefined || series.labels['result'] === result) sum += series.values[0] ?? 0;
  }
  return sum;
}
