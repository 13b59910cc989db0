import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ExecutionContext } from 'ava';
import type { Secret } from '../../../src/core/base/secret.ts';
import { createMesh, type Mesh, type MeshConfig, type MeshOptions } from '../../../src/index.ts';
import {
  Authority,
  createAuthority,
  type IssuedCertificate,
  type WorkloadNames,
} from '../../../src/transport/tls/x509/authority.ts';
import { within } from '../../mesh/support.ts';

export const at = (name: string): string => join(import.meta.dirname, '../../fixtures/tls', name);
export const pem = (name: string): string => readFileSync(at(name), 'utf8');
export const failures = 'heddle_listener_tls_handshake_failures_total';

export type ListenerTls = NonNullable<NonNullable<MeshConfig['listeners']>[number]['tls']>;
export type ClusterTls = NonNullable<NonNullable<MeshConfig['clusters']>[number]['tls']>;

export const answering = [
  {
    name: 'all',
    domains: ['*'],
    routes: [{ match: { prefix: '/' }, directResponse: { status: 200, body: 'well' } }],
  },
];

export async function listening(
  t: ExecutionContext,
  tls: ListenerTls,
  codec: unknown = 'http1',
  options: MeshOptions = {},
): Promise<Mesh> {
  const listener = {
    name: 'in',
    address: '127.0.0.1:0',
    codec: codec as 'http1',
    tls,
    virtualHosts: answering,
  };
  const mesh = await createMesh({ listeners: [listener] }, options);
  t.teardown(() => mesh.close());
  return mesh;
}

export const portOf = (mesh: Mesh): number =>
  Number((mesh.listeners.addresses['in'] as string).split(':')[1]);

/** The answer to one request over HTTP/1.1, or "" when the connection ends without one. */
export async function ask(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ answer: string; socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', ca: pem('ca-a.pem'), servername: 'a.test', ...options });
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => {});
  socket.once('secureConnect', () =>
    socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n'),
  );
  await within(new Promise((resolve) => socket.once('close', resolve)), 'close');
  return { answer, socket };
}

export function counted(mesh: Mesh, name: string, label: string): number {
  const series = mesh.runtime.metrics.snapshot().series.filter((each) => each.name === name);
  return series.find((each) => Object.values(each.labels).includes(label))?.values[0] ?? 0;
}

export const hourMs = 3_600_000;

/** A CA of one trust domain. */
export function testAuthority(
  trustDomain = 'td-a',
  nowMs = Date.now(),
): { ca: string; key: Secret; authority: Authority } {
  const made = createAuthority({ trustDomain, nowMs, lifetimeMs: 24 * hourMs });
  return { ca: made.cert, key: made.key, authority: new Authority(made) };
}

/** A certificate of it for a.test, localhost and 127.0.0.1, good for an hour. */
export function issued(
  authority: Authority,
  names: Partial<WorkloadNames> = {},
  nowMs: number = Date.now(),
  lifetimeMs: number = hourMs,
): IssuedCertificate {
  return authority.issue(
    { name: 'a.test', spiffeId: null, dnsNames: ['a.test'], ipAddresses: ['127.0.0.1'], ...names },
    nowMs,
    lifetimeMs,
  );
}

/** A directory that is gone after the test. */
export function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'heddle-tls-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Writes `name`.pem and `name`.key. */
export function writePair(
  folder: string,
  name: string,
  { cert, key }: IssuedCertificate,
): { cert: string; key: string } {
  const paths = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key.reveal());
  return paths;
}

export const plainPair = ({ cert, key }: IssuedCertificate): { cert: string; key: string } => ({
  cert,
  key: key.reveal(),
});
