/**
 * Mutual TLS in development: a CA of its own, a certificate for each side, both sides know each other by SPIFFE id, and
 * a certificate that is replaced while calls go on. On the command line the folder is made by
 *
 *   heddle certs init --trust-domain dev.local
 *   heddle certs issue gateway users
 *   heddle certs rotate
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateFolder, createMesh, HeddleError } from '../src/index.ts';

const hourMs = 3_600_000;
const path = await mkdtemp(join(tmpdir(), 'heddle-mtls-'));
const folder = new CertificateFolder(path);
await folder.init('dev.local', 24 * hourMs);
const ca = join(path, 'ca.pem');
const certificates = new Map<string, { cert: string; key: string }>();
for (const name of ['gateway', 'users', 'stranger']) {
  const { cert, key, spiffeId } = await folder.issue({ name, lifetimeMs: hourMs });
  certificates.set(name, { cert, key });
  console.log('issued', spiffeId);
}
const certificateOf = (name: string) => certificates.get(name) ?? { cert: '', key: '' };

/** The service: only the gateway may come in, and the route says who came. */
const users = await createMesh({
  listeners: [
    {
      name: 'in',
      address: '127.0.0.1:0',
      tls: {
        certificates: [certificateOf('users')],
        clientCertificate: 'required',
        ca,
        trustDomain: 'dev.local',
        sanMatchers: [{ exact: 'spiffe://dev.local/gateway' }],
      },
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ directResponse: { status: 200, body: 'hello, gateway' } }],
        },
      ],
    },
  ],
});

/** Who calls: it takes nobody else than the service for the service. */
const callAs = (name: string) =>
  createMesh({
    clusters: [
      {
        name: 'users',
        endpoints: [users.listeners.addresses['in'] ?? ''],
        // A new connection for each call, so that each call shows the certificate of its time.
        pool: { maxRequestsPerConnection: 1 },
        tls: { ca, certificate: certificateOf(name), sanMatchers: [{ exact: 'spiffe://dev.local/users' }] },
      },
    ],
  });

const gateway = await callAs('gateway');
console.log('gateway:', await (await gateway.fetch('http://users/')).text());

const stranger = await callAs('stranger');
await stranger.fetch('http://users/').then(
  (response) => console.log('stranger:', response.status),
  (error: unknown) => console.log('stranger:', error instanceof HeddleError ? 'refused' : error),
);

// Every certificate gets a new key under way: files are watched, connections stay.
const { rotated } = await folder.rotate([], true);
const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.fetch('http://users/')));
console.log('rotated:', rotated.length, 'answers:', answers.filter(({ ok }) => ok).length);

for (const mesh of [gateway, stranger, users]) await mesh.close();
await rm(path, { recursive: true });
