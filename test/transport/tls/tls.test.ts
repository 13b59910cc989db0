import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { createMesh, type Mesh } from '../../../src/index.ts';
import { matchesNames, namesOf, spiffeIdOf } from '../../../src/transport/tls/names.ts';
import { eventually, within } from '../../mesh/support.ts';
import {
  answering,
  ask,
  at,
  type ClusterTls,
  counted,
  failures,
  type ListenerTls,
  listening,
  pem,
  portOf,
} from './support.ts';

const own = (name: string) => ({ cert: at(`${name}.pem`), key: at(`${name}.key`) });
const shown = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) });

test('a listener ends TLS, and the server name chooses the certificate, by wildcard too', async (t) => {
  const mesh = await listening(t, { certificates: [own('server'), own('wildcard')] });
  for (const [servername, subject] of [
    ['a.test', 'server'],
    ['x.wild.test', 'wildcard'],
    ['X.WILD.test', 'wildcard'],
  ] as const) {
    const socket = connect({ port: portOf(mesh), host: '127.0.0.1', ca: pem('ca-a.pem'), servername });
    await within(once(socket, 'secureConnect'), servername);
    t.is(socket.getPeerCertificate().subject.CN, subject);
    socket.destroy();
  }
  const { answer } = await ask(portOf(mesh));
  t.regex(answer, /^HTTP\/1\.1 200 [\s\S]*well$/);
  t.true(counted(mesh, 'heddle_listener_tls_handshakes_total', 'in') > 0);
});

test('ALPN chooses among the codecs of one listener', async (t) => {
  const detect = { name: 'detect', config: { codecs: ['http2', 'http1'] } };
  const mesh = await listening(t, { certificates: [own('server')] }, detect);
  t.regex((await ask(portOf(mesh), { ALPNProtocols: ['http/1.1'] })).answer, /^HTTP\/1\.1 200/);
  t.regex((await ask(portOf(mesh))).answer, /^HTTP\/1\.1 200/);
  const session = connectHttp2(`https://a.test:${portOf(mesh)}`, {
    createConnection: () =>
      connect({
        port: portOf(mesh),
        host: '127.0.0.1',
        ca: pem('ca-a.pem'),
        servername: 'a.test',
        ALPNProtocols: ['h2'],
      }),
  });
  const stream = session.request({ ':path': '/' });
  const [headers] = await within(once(stream, 'response'), 'h2 response');
  t.is(headers[':status'], 200);
  session.destroy();
});

test('a client certificate is refused with the reason counted: none, another CA, expired, other trust domain', async (t) => {
  const tls: ListenerTls = {
    certificates: [own('server')],
    clientCertificate: 'required',
    ca: at('ca-a.pem'),
    trustDomain: 'td-a',
  };
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const mesh = await listening(t, tls);
    const port = portOf(mesh);
    t.regex((await ask(port, { ...shown('client'), maxVersion })).answer, /^HTTP\/1\.1 200/);
    t.is((await ask(port, { maxVersion })).answer, '');
    t.is((await ask(port, { ...shown('forged'), maxVersion })).answer, '');
    t.is((await ask(port, { ...shown('expired'), maxVersion })).answer, '');
    t.is((await ask(port, { ...shown('wildcard'), maxVersion })).answer, '');
    t.is(counted(mesh, failures, 'certificate_missing'), 1);
    t.is(counted(mesh, failures, 'certificate_untrusted'), 1);
    t.is(counted(mesh, failures, 'certificate_expired'), 1);
    t.is(counted(mesh, failures, 'certificate_trust_domain'), 1);
  }
});

test('an optional client certificate may be missing and must be good when it is there', async (t) => {
  const tls: ListenerTls = {
    certificates: [own('server')],
    clientCertificate: 'optional',
    ca: at('ca-a.pem'),
  };
  const mesh = await listening(t, tls);
  t.regex((await ask(portOf(mesh))).answer, /^HTTP\/1\.1 200/);
  t.is((await ask(portOf(mesh), shown('forged'))).answer, '');
});

test('plain and TLS on one port where it is allowed, else plain bytes are refused', async (t) => {
  const plain = async (mesh: Mesh): Promise<string> => {
    const socket = connectPlain(portOf(mesh), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n');
    await within(new Promise((resolve) => socket.once('close', resolve)), 'close');
    return text;
  };
  const both = await listening(t, { certificates: [own('server')], allowPlain: true });
  t.regex(await plain(both), /^HTTP\/1\.1 200/);
  t.regex((await ask(portOf(both))).answer, /^HTTP\/1\.1 200/);
  const strict = await listening(t, { certificates: [own('server')] });
  t.notRegex(await plain(strict), /HTTP/);
  t.is(counted(strict, failures, 'not_tls'), 1);
});

test('a handshake that takes too long is ended and counted', async (t) => {
  const mesh = await listening(t, { certificates: [own('server')], handshakeTimeoutMs: 50 });
  const socket = connectPlain(portOf(mesh), '127.0.0.1');
  await within(once(socket, 'close'), 'close');
  t.is(counted(mesh, failures, 'timeout'), 1);
  t.is(mesh.listeners.all[0]?.connectionCount, 0);
});

test('settings that cannot be used stop the start, and keys are shown to nobody', async (t) => {
  const mixed = { certificates: [{ cert: at('server.pem'), key: at('client.key') }] };
  await t.throwsAsync(listening(t, mixed), { message: /ERR_TLS_CONFIG.*listener in/ });
  await t.throwsAsync(listening(t, { certificates: [{ ...own('server'), cert: '/nowhere.pem' }] }), {
    message: /ERR_TLS_CONFIG.*nowhere/,
  });
  await t.throwsAsync(listening(t, { certificates: [own('server')], clientCertificate: 'required' }), {
    message: /ca, to verify clients with/,
  });
  const mesh = await listening(t, { certificates: [shown('server')] });
  t.notRegex(JSON.stringify([mesh.dump(), mesh.config]), /PRIVATE KEY/);
});

/** A mesh with one TLS cluster in front of an HTTPS server that shows `name`. */
async function upstreamOf(t: ExecutionContext, name: string, tls: ClusterTls, needsClient = false) {
  let handshakes = 0;
  const seen: string[] = [];
  const server = createHttps(
    { ...shown(name), ca: pem('ca-a.pem'), requestCert: needsClient, rejectUnauthorized: needsClient },
    (incoming, response) => {
      const socket = incoming.socket as TLSSocket;
      seen.push(`${socket.isSessionReused()} ${socket.getPeerCertificate().subject?.CN}`);
      response.setHeader('connection', 'close').end('from tls');
    },
  );
  server.on('secureConnection', () => {
    handshakes++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mesh = await createMesh({ clusters: [{ name: 'up', endpoints: [endpoint], tls }] });
  t.teardown(() => mesh.close());
  return { mesh, seen, handshakes: () => handshakes };
}

test('a cluster speaks TLS, shows its certificate and resumes sessions', async (t) => {
  const tls = { ca: at('ca-a.pem'), certificate: own('client') };
  const { mesh, seen } = await upstreamOf(t, 'server', tls, true);
  for (let i = 0; i < 2; i++) t.is(await (await mesh.fetch('http://up/')).text(), 'from tls');
  t.deepEqual(seen, ['false client', 'true client']);
});

for (const [what, shows, tls, reason] of [
  ['of another CA', 'server', { ca: at('ca-b.pem') }, 'tls_certificate_untrusted'],
  ['that has expired', 'expired', { ca: at('ca-a.pem') }, 'tls_certificate_expired'],
  ['of another name', 'server', { ca: at('ca-a.pem'), serverName: 'b.test' }, 'tls_certificate_name'],
  [
    'of another trust domain',
    'server',
    { ca: at('ca-a.pem'), trustDomain: 'td-b' },
    'tls_certificate_trust_domain',
  ],
  [
    'that no matcher takes',
    'server',
    { ca: at('ca-a.pem'), sanMatchers: [{ exact: 'spiffe://td-a/x' }] },
    'tls_certificate_name',
  ],
] as const) {
  test(`a host with a certificate ${what} is refused and gets no byte`, async (t) => {
    const { mesh, seen } = await upstreamOf(t, shows, tls as ClusterTls);
    const error = await t.throwsAsync(mesh.request({ authority: 'up', path: '/' } as never));
    t.is((error as Error & { context?: { reason?: string } }).context?.reason, reason);
    t.deepEqual(seen, []);
  });
}

test('certificates can be left unverified, when asked for by name', async (t) => {
  const { mesh } = await upstreamOf(t, 'expired', { insecureSkipVerify: true });
  t.is(await (await mesh.fetch('http://up/')).text(), 'from tls');
});

test('names in certificates: a quoted value is one name, and two URIs are no SPIFFE id', (t) => {
  const sneaky = 'URI:"https://x/, URI:spiffe://td-a/admin", DNS:a.test';
  t.deepEqual(namesOf(sneaky, 'URI'), ['https://x/, URI:spiffe://td-a/admin']);
  t.is(spiffeIdOf(sneaky), null);
  t.is(spiffeIdOf('URI:spiffe://td/a, URI:spiffe://td/b'), null);
  t.is(spiffeIdOf('DNS:x, URI:spiffe://td/a'), 'spiffe://td/a');
  t.true(matchesNames('URI:spiffe://td/a', [{ type: 'uri', prefix: 'spiffe://td/' }]));
  t.false(matchesNames('DNS:spiffe://td/a', [{ type: 'uri', prefix: 'spiffe://td/' }]));
});

test('connections beyond a limit are refused before their handshake, those in it count', async (t) => {
  const tls = { certificates: [own('server')] };
  const listener = { name: 'in', address: '127.0.0.1:0', tls, virtualHosts: answering };
  const mesh = await createMesh({ listeners: [{ ...listener, limits: { maxConnectionsPerSource: 1 } }] });
  t.teardown(() => mesh.close());
  const silent = connectPlain(portOf(mesh), '127.0.0.1');
  t.teardown(() => silent.destroy());
  await within(once(silent, 'connect'), 'connect');
  await eventually(() => mesh.listeners.all[0]?.connectionCount === 1, 'the first one');
  t.is((await ask(portOf(mesh))).answer, '');
  t.is(counted(mesh, 'heddle_listener_connections_rejected_total', 'max_connections_per_source') > 0, true);
  silent.destroy();
  await eventually(() => mesh.listeners.all[0]?.connectionCount === 0, 'the first one gone');
  t.regex((await ask(portOf(mesh))).answer, /^HTTP\/1\.1 200/);
});
