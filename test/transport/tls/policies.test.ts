import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { adminSections } from '../../../src/assembly/admin-sections.ts';
import type { AdminAnswer, AdminSection } from '../../../src/core/contract/state.ts';
import { createMesh, type Mesh, silentLogger } from '../../../src/index.ts';
import { SystemClock } from '../../../src/transport/index.ts';
import { eventually, upstream, within } from '../../mesh/support.ts';
import { staple } from './staple.ts';
import {
  ask,
  at,
  type ClusterTls,
  counted,
  directory,
  failures,
  hourMs,
  issued,
  type ListenerTls,
  listening,
  pem,
  plainPair,
  portOf,
  testAuthority,
} from './support.ts';

/** Time as it is, moved by `offsetMs`. */
class ShiftedClock extends SystemClock {
  offsetMs = 0;

  override wallNow(): number {
    return super.wallNow() + this.offsetMs;
  }
}

interface Visit {
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** One request; TLS 1.3 sends its tickets behind the handshake. */
async function visit(port: number, ca: string, options: ConnectionOptions): Promise<Visit> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'a.test', ...options });
  socket.on('error', () => {});
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  await within(once(socket, 'secureConnect'), 'handshake');
  const reused = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n');
  socket.resume();
  await within(once(socket, 'close'), 'close');
  return { reused, session };
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`tickets of ${maxVersion}: processes with one secret take each other's, over two periods`, async (t) => {
    const { ca, authority } = testAuthority();
    const secret = 'one and the same for all of the processes';
    const rotationMs = hourMs;
    const certificates = [plainPair(issued(authority, {}, Date.now(), 20 * hourMs))];
    const tls = { certificates, sessionTickets: { secret, rotationMs } };
    const clock = new ShiftedClock();
    const [one, two, other] = [
      await listening(t, tls),
      await listening(t, tls, 'http1', { surroundings: { clock } }),
      await listening(t, { certificates }),
    ];
    t.notRegex(JSON.stringify([one.dump(), one.config]), /one and the same/);
    const first = await visit(portOf(one), ca, { maxVersion });
    t.false(first.reused);
    const again = (mesh: Mesh) => visit(portOf(mesh), ca, { maxVersion, session: first.session });
    t.true((await again(one)).reused);
    t.true((await again(two)).reused, 'another process');
    t.false((await again(other)).reused, 'a process with another secret');
    clock.offsetMs = rotationMs;
    t.true((await again(two)).reused, 'a period later');
    const fresh = await visit(portOf(two), ca, { maxVersion });
    t.true(
      (await visit(portOf(one), ca, { maxVersion, session: fresh.session })).reused,
      'a clock that is ahead',
    );
    clock.offsetMs = 2 * rotationMs;
    t.false((await again(two)).reused, 'two periods later');
  });
}

test('tickets: a secret that is replaced goes on to count for those that it made; none where they are off', async (t) => {
  const { ca, authority } = testAuthority();
  const file = join(directory(t), 'secret');
  writeFileSync(file, `${'first'.repeat(8)}\n`);
  const certificates = [plainPair(issued(authority))];
  const mesh = await listening(t, { certificates, sessionTickets: { secret: file } });
  const first = await visit(portOf(mesh), ca, {});
  writeFileSync(file, 'second'.repeat(8));
  await eventually(() => counted(mesh, 'heddle_listener_tls_reloads_total', 'applied') === 1, 'the reload');
  t.true((await visit(portOf(mesh), ca, { session: first.session })).reused);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const without = await listening(t, { certificates, sessionTickets: { enabled: false } });
    const { session } = await visit(portOf(without), ca, { maxVersion });
    t.false((await visit(portOf(without), ca, { maxVersion, session })).reused, maxVersion);
  }
  await t.throwsAsync(listening(t, { certificates, sessionTickets: { secret: 'short' } }), {
    message: /at least 32 characters/,
  });
});

test('a session ends with the trust that it began with: another CA, another list of revoked', async (t) => {
  const { ca, authority } = testAuthority();
  const folder = directory(t);
  const client = issued(authority);
  const crl = join(folder, 'list.crl');
  writeFileSync(crl, authority.revoke([], 1, Date.now(), hourMs));
  const tls: ListenerTls = {
    certificates: [plainPair(issued(authority))],
    clientCertificate: 'required',
    ca,
    crl,
  };
  const mesh = await listening(t, tls);
  const first = await visit(portOf(mesh), ca, plainPair(client));
  t.true((await visit(portOf(mesh), ca, { ...plainPair(client), session: first.session })).reused);
  writeFileSync(crl, authority.revoke([new X509Certificate(client.cert)], 2, Date.now(), hourMs));
  await eventually(() => counted(mesh, 'heddle_listener_tls_reloads_total', 'applied') === 1, 'the list');
  const { answer } = await ask(portOf(mesh), { ca, ...plainPair(client), session: first.session });
  t.is(answer, '');
  t.is(counted(mesh, failures, 'certificate_revoked'), 1);
  const other = issued(authority);
  t.regex((await ask(portOf(mesh), { ca, ...plainPair(other) })).answer, /^HTTP\/1\.1 200/);
});

/** A cluster in front of a listener of ours. @returns the reason of a refusal, or "" */
async function refusal(t: ExecutionContext, server: ListenerTls, client: ClusterTls): Promise<string> {
  const target = await listening(t, server);
  const endpoints = [`127.0.0.1:${portOf(target)}`];
  const mesh = await createMesh({ clusters: [{ name: 'up', endpoints, tls: client }] });
  t.teardown(() => mesh.close());
  try {
    const response = await mesh.request({ authority: 'up', path: '/' } as never);
    return response.status === 200 ? '' : String(response.status);
  } catch (thrown) {
    return String((thrown as { context?: { reason?: string } }).context?.reason);
  }
}

test('each refusal of a host says which: expired, name, CA, trust domain, revoked, staple', async (t) => {
  const a = testAuthority('td-a');
  const b = testAuthority('td-b');
  const nowMs = Date.now();
  const good = issued(a.authority, { spiffeId: 'spiffe://td-a/up' });
  const leaf = new X509Certificate(good.cert);
  const folder = directory(t);
  const stapled = (name: string, der: Buffer): ListenerTls => {
    const ocsp = join(folder, name);
    writeFileSync(ocsp, der);
    return { certificates: [{ ...plainPair(good), ocsp }] };
  };
  const plain: ListenerTls = { certificates: [plainPair(good)] };
  const of = (made: ReturnType<typeof issued>): ListenerTls => ({ certificates: [plainPair(made)] });
  const ca = a.ca;
  const requireOcsp = true;
  const status = (status: 'good' | 'revoked', untilMs = nowMs + hourMs, signer = a) =>
    staple({
      certificate: leaf,
      issuer: a.authority.certificate,
      key: signer.key,
      status,
      fromMs: nowMs - hourMs,
      untilMs,
    });
  const table: readonly (readonly [string, ListenerTls, ClusterTls, string])[] = [
    ['good', plain, { ca, trustDomain: 'td-a', sanMatchers: [{ exact: 'spiffe://td-a/up' }] }, ''],
    ['expired', of(issued(a.authority, {}, nowMs - 3 * hourMs, hourMs)), { ca }, 'tls_certificate_expired'],
    ['name', of(issued(a.authority, { ipAddresses: [] })), { ca }, 'tls_certificate_name'],
    ['SAN', plain, { ca, sanMatchers: [{ exact: 'spiffe://td-a/x' }] }, 'tls_certificate_name'],
    ['CA', of(issued(b.authority)), { ca }, 'tls_certificate_untrusted'],
    ['trust domain', plain, { ca, trustDomain: 'td-b' }, 'tls_certificate_trust_domain'],
    ['revoked', plain, { ca, crl: a.authority.revoke([leaf], 1, nowMs, hourMs) }, 'tls_certificate_revoked'],
    [
      'another revoked',
      plain,
      { ca, crl: a.authority.revoke([new X509Certificate(issued(a.authority).cert)], 1, nowMs, hourMs) },
      '',
    ],
    ['no staple', plain, { ca, requireOcsp }, 'tls_failed'],
    ['good staple', stapled('good', status('good')), { ca, requireOcsp }, ''],
    ['staple not asked for', stapled('not', status('revoked')), { ca }, ''],
    ['revoked staple', stapled('revoked', status('revoked')), { ca, requireOcsp }, 'tls_certificate_revoked'],
    ['old staple', stapled('old', status('good', nowMs - 1000)), { ca, requireOcsp }, 'tls_failed'],
    [
      'forged staple',
      stapled('forged', status('good', nowMs + hourMs, b)),
      { ca, requireOcsp },
      'tls_failed',
    ],
    ['no staple at all', stapled('none', Buffer.from('nothing')), { ca, requireOcsp }, 'tls_failed'],
  ];
  for (const [what, server, client, reason] of table) t.is(await refusal(t, server, client), reason, what);
});

test('ciphers, curves and versions are what is chosen, on both sides', async (t) => {
  const { ca, authority } = testAuthority();
  const certificates = [plainPair(issued(authority))];
  const chosen = await listening(t, {
    certificates,
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    curves: 'P-384',
  });
  const socket = connect({ port: portOf(chosen), host: '127.0.0.1', ca, servername: 'a.test' });
  await within(once(socket, 'secureConnect'), 'handshake');
  t.is(socket.getProtocol(), 'TLSv1.2');
  t.is(socket.getCipher().name, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  t.like(socket.getEphemeralKeyInfo(), { type: 'ECDH', name: 'secp384r1' });
  socket.destroy();
  const target = { certificates: certificates };
  t.is(await refusal(t, { ...target, minVersion: 'TLSv1.3' }, { ca, maxVersion: 'TLSv1.2' }), 'tls_failed');
  t.is(await refusal(t, { ...target, curves: 'P-384' }, { ca, curves: 'X25519' }), 'tls_failed');
  t.is(await refusal(t, { ...target, curves: 'P-384' }, { ca, curves: 'P-384:X25519' }), '');
  const order = { certificates, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } as const;
  await t.throwsAsync(listening(t, order), { message: /maxVersion that is not below minVersion/ });
  await t.throwsAsync(listening(t, { certificates, ciphers: 'nonsense' }), { message: /ERR_TLS_CONFIG/ });
});

test('a host that speaks no TLS is spoken to in plain text only where that is asked for', async (t) => {
  const plain = await upstream(t, (_request, response) => response.end('plain'));
  const silent = createServer((socket) => socket.destroy());
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => silent.close());
  const cluster = (name: string, tls: ClusterTls, endpoint = plain.address) => ({
    name,
    endpoints: [endpoint],
    tls,
  });
  const tls: ClusterTls = { ca: pem('ca-a.pem') };
  const closing = `127.0.0.1:${(silent.address() as { port: number }).port}`;
  const wrong = await listening(t, { certificates: [plainPair(issued(testAuthority('td-b').authority))] });
  const clusters = [
    cluster('strict', tls),
    cluster('lax', { ...tls, fallBackToPlain: true }),
    cluster('closing', { ...tls, fallBackToPlain: true }, closing),
    cluster('wrong', { ...tls, fallBackToPlain: true }, `127.0.0.1:${portOf(wrong)}`),
  ];
  const mesh = await createMesh({ clusters });
  t.teardown(() => mesh.close());
  await t.throwsAsync(mesh.fetch('http://strict/'), { code: 'ERR_UPSTREAM_CONNECT' });
  for (let i = 0; i < 2; i++) {
    const response = await mesh.fetch('http://lax/', { method: 'POST', body: 'x'.repeat(100_000) });
    t.is(await response.text(), 'plain');
  }
  t.is(counted(mesh, 'heddle_cluster_tls_fallbacks_total', 'lax'), 1, 'the connection is kept');
  await t.throwsAsync(mesh.fetch('http://closing/'));
  await t.throwsAsync(mesh.fetch('http://wrong/'));
  t.is(
    counted(mesh, 'heddle_cluster_tls_fallbacks_total', 'wrong'),
    0,
    'a certificate that is wrong is no plain host',
  );
});

test('a host may have TLS turned off in its metadata, where the cluster allows it', async (t) => {
  const plain = await upstream(t, (_request, response) => response.end('plain'));
  const tls: ClusterTls = { ca: pem('ca-a.pem') };
  const endpoints = [{ address: plain.address, metadata: { tls: 'off' } }];
  const mesh = await createMesh({
    clusters: [
      { name: 'strict', endpoints, tls },
      { name: 'lax', endpoints, tls: { ...tls, allowPlainHosts: true }, healthCheck: { name: 'tcp' } },
    ],
  });
  t.teardown(() => mesh.close());
  t.is(await (await mesh.fetch('http://lax/')).text(), 'plain');
  await t.throwsAsync(mesh.fetch('http://strict/'), { code: 'ERR_UPSTREAM_CONNECT' });
});

test('TLS of a cluster can be turned off and on at run time', async (t) => {
  const plain = await upstream(t, (_request, response) => response.end('plain'));
  const mesh = await createMesh({
    clusters: [{ name: 'up', endpoints: [plain.address], tls: { ca: at('ca-a.pem') } }],
  });
  t.teardown(() => mesh.close());
  await t.throwsAsync(mesh.fetch('http://up/'));
  const sections = adminSections(mesh, silentLogger, 0);
  const section = (path: string): AdminSection => sections.find((each) => each.path === path) as AdminSection;
  const turn = (text: string) => section('tls').write?.(new URLSearchParams(text), '') as AdminAnswer;
  const health = async (): Promise<string> =>
    JSON.stringify((await section('health').read?.(new URLSearchParams()))?.body);
  t.is(turn('cluster=nobody&state=off').status, 404);
  t.is(turn('cluster=up&state=away').status, 400);
  t.notRegex(await health(), /turned off/);
  t.is(turn('cluster=up&state=off').body, 'off\n');
  t.regex(await health(), /"part":"tls of cluster up","status":"degraded","reason":"it is turned off"/);
  t.is(await (await mesh.fetch('http://up/')).text(), 'plain');
  turn('cluster=up&state=on');
  t.notRegex(await health(), /turned off/);
});

test('a stream knows its peer by the certificate, over HTTP/1.1 and HTTP/2', async (t) => {
  const { ca, authority } = testAuthority();
  const match = { prefix: '/', variables: [{ name: 'spiffeId', exact: 'spiffe://td-a/cart' }] } as const;
  const routes = [
    { match, directResponse: { status: 200, body: 'cart' } },
    { match: { prefix: '/' }, directResponse: { status: 200, body: 'somebody' } },
  ];
  for (const codec of ['http1', 'http2'] as const) {
    const server = await createMesh({
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          codec,
          tls: { certificates: [plainPair(issued(authority))], clientCertificate: 'optional', ca },
          virtualHosts: [{ name: 'all', domains: ['*'], routes }],
        },
      ],
    });
    t.teardown(() => server.close());
    const endpoints = [server.listeners.addresses['in'] as string];
    const cart = plainPair(issued(authority, { spiffeId: 'spiffe://td-a/cart' }));
    const pool = { maxRequestsPerConnection: 1 };
    const mesh = await createMesh({
      clusters: [
        { name: 'cart', codec, pool, endpoints, tls: { ca, certificate: cart } },
        { name: 'nobody', codec, endpoints, tls: { ca } },
      ],
    });
    t.teardown(() => mesh.close());
    // The second call resumes the session of the first: the certificate goes along.
    for (let i = 0; i < 2; i++) t.is(await (await mesh.fetch('http://cart/')).text(), 'cart', codec);
    t.is(await (await mesh.fetch('http://nobody/')).text(), 'somebody', codec);
  }
});
