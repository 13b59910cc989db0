import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { SecretSourceDefinition, TlsSecrets } from '../../../src/core/contract/secret-source.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { createMesh, type LogFields, type Logger, type Mesh } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { createFileAccess, SystemClock } from '../../../src/transport/index.ts';
import { CredentialTable } from '../../../src/transport/tls/credential-table.ts';
import { eventually, within } from '../../mesh/support.ts';
import {
  ask,
  counted,
  directory,
  failures,
  hourMs,
  issued,
  listening,
  plainPair,
  portOf,
  testAuthority,
  writePair,
} from './support.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function recordingLogger(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    logger: { level: 'info', debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  };
}

/** The common name that a new connection is shown. */
async function shownName(port: number, ca: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'a.test' });
  await within(once(socket, 'secureConnect'), 'handshake');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

async function answered(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
  const [chunk] = await within(once(socket, 'data'), 'answer');
  return String(chunk);
}

const healthOf = (mesh: Mesh) => mesh.runtime.credentials.health()[0]?.health;

function setUp(t: ExecutionContext) {
  const { ca, authority } = testAuthority();
  const folder = directory(t);
  const files = writePair(folder, 'own', issued(authority, { name: 'one' }));
  return { ca, authority, folder, files };
}

test('a certificate replaced on disk is shown to new connections, and open ones go on', async (t) => {
  const { ca, authority, folder, files } = setUp(t);
  const mesh = await listening(t, { certificates: [files] });
  const open = connect({ port: portOf(mesh), host: '127.0.0.1', ca, servername: 'a.test' });
  t.teardown(() => open.destroy());
  await within(once(open, 'secureConnect'), 'handshake');
  t.regex(await answered(open), /^HTTP\/1\.1 200/);
  const next = writePair(folder, 'next', issued(authority, { name: 'two' }));
  renameSync(next.cert, files.cert);
  renameSync(next.key, files.key);
  await eventually(async () => (await shownName(portOf(mesh), ca)) === 'two', 'the new certificate');
  t.regex(await answered(open), /^HTTP\/1\.1 200/);
  t.is(counted(mesh, 'heddle_listener_tls_reloads_total', 'applied'), 1);
  t.is(healthOf(mesh)?.status, 'ok');
});

test('a half-written certificate and a key of another one keep what is in use, which is told once', async (t) => {
  const { ca, authority, files } = setUp(t);
  const { logger, lines } = recordingLogger();
  const mesh = await listening(t, { certificates: [files] }, 'http1', { logger });
  const next = issued(authority, { name: 'two' });
  const refusals = (): number => counted(mesh, 'heddle_listener_tls_reloads_total', 'refused');
  writeFileSync(files.cert, next.cert.slice(0, 300));
  await eventually(() => refusals() === 1, 'the refusal of half a certificate');
  t.is(await shownName(portOf(mesh), ca), 'one');
  t.is(healthOf(mesh)?.status, 'degraded');
  t.regex(healthOf(mesh)?.reason ?? '', /ends in the middle of a certificate|holds no whole certificate/);
  mesh.runtime.credentials.refresh();
  t.is(lines.filter(({ message }) => /cannot be used/.test(message)).length, 1);
  writeFileSync(files.cert, next.cert);
  await eventually(() => refusals() >= 3, 'the refusal of a key of another certificate');
  t.regex(healthOf(mesh)?.reason ?? '', /key values mismatch/);
  t.is(await shownName(portOf(mesh), ca), 'one');
  writeFileSync(files.key, next.key.reveal());
  await eventually(() => healthOf(mesh)?.status === 'ok', 'the whole pair');
  t.is(await shownName(portOf(mesh), ca), 'two');
  t.notRegex(JSON.stringify(lines), /PRIVATE KEY/);
});

test('a list of roots that is cut is not taken for a shorter list', async (t) => {
  const { ca, authority, folder, files } = setUp(t);
  const other = testAuthority('td-b');
  const roots = join(folder, 'roots.pem');
  writeFileSync(roots, other.ca + ca);
  const mesh = await listening(t, { certificates: [files], clientCertificate: 'required', ca: roots });
  const client = plainPair(issued(authority, { name: 'client' }));
  writeFileSync(roots, (other.ca + ca).slice(0, -200));
  await eventually(() => healthOf(mesh)?.status === 'degraded', 'the refusal');
  t.regex((await ask(portOf(mesh), { ca, ...client })).answer, /^HTTP\/1\.1 200/);
});

test('a folder is swapped as Kubernetes does it, through the source "directory"', async (t) => {
  const { ca, authority } = testAuthority();
  const root = directory(t);
  const fill = (version: string, name: string): void => {
    const folder = join(root, version);
    mkdirSync(folder);
    const { cert, key } = plainPair(issued(authority, { name }));
    for (const [file, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca })) {
      writeFileSync(join(folder, file), text);
    }
  };
  fill('..v1', 'one');
  symlinkSync('..v1', join(root, '..data'));
  for (const file of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', file), join(root, file));
  const mesh = await listening(t, {
    clientCertificate: 'optional',
    source: { name: 'directory', config: { path: root } },
  });
  t.is(await shownName(portOf(mesh), ca), 'one');
  fill('..v2', 'two');
  symlinkSync('..v2', join(root, '..next'));
  renameSync(join(root, '..next'), join(root, '..data'));
  await eventually(async () => (await shownName(portOf(mesh), ca)) === 'two', 'the swapped folder');
});

test('a reload of the configuration reads the files again, also where nothing watches them', async (t) => {
  const { ca, authority, folder, files } = setUp(t);
  const unwatched = { ...createFileAccess(new SystemClock()), watch: () => () => {} };
  const mesh = await listening(t, { certificates: [files] }, 'http1', {
    surroundings: { files: unwatched },
  });
  writePair(folder, 'own', issued(authority, { name: 'two' }));
  t.is(await shownName(portOf(mesh), ca), 'one');
  const { applied } = await mesh.reload(mesh.config);
  t.true(applied);
  t.is(await shownName(portOf(mesh), ca), 'two');
  unlinkSync(files.key);
  t.true((await mesh.reload(mesh.config)).applied);
  t.regex(healthOf(mesh)?.reason ?? '', /ENOENT/);
  t.is(await shownName(portOf(mesh), ca), 'two');
});

test('a changed listener and one that a reload removes stop watching', async (t) => {
  const { authority, files } = setUp(t);
  let watched = 0;
  const counting = {
    ...createFileAccess(new SystemClock()),
    watch: () => {
      watched++;
      return () => {
        watched--;
      };
    },
  };
  const mesh = await listening(t, { certificates: [files] }, 'http1', {
    surroundings: { files: counting },
  });
  t.is(watched, 2);
  const { listeners } = mesh.config;
  const [listener] = listeners;
  const retold = { ...listener, serverHeader: 'x' };
  t.true((await mesh.reload({ listeners: [retold] } as never)).applied);
  t.is(watched, 2, 'TLS did not change');
  const inline = { ...listener, tls: { certificates: [plainPair(issued(authority))] } };
  t.true((await mesh.reload({ listeners: [inline] } as never)).applied);
  t.is(watched, 0);
  t.true((await mesh.reload({ listeners: [listener] } as never)).applied);
  t.is(watched, 2);
  t.true((await mesh.reload({})).applied);
  t.is(watched, 0);
});

test('a cluster shows its new certificate to hosts that it dials from then on', async (t) => {
  const { ca, authority, folder, files } = setUp(t);
  const server = await listening(t, {
    certificates: [plainPair(issued(authority))],
    clientCertificate: 'required',
    ca,
  });
  const tls = { ca, certificate: files, serverName: 'a.test' };
  const endpoint = `127.0.0.1:${portOf(server)}`;
  const pool = { maxRequestsPerConnection: 1 };
  const mesh = await createMesh({ clusters: [{ name: 'up', endpoints: [endpoint], tls, pool }] });
  t.teardown(() => mesh.close());
  t.is((await mesh.fetch('http://up/')).status, 200);
  writePair(folder, 'own', issued(testAuthority('td-b').authority));
  await eventually(() => counted(mesh, 'heddle_cluster_tls_reloads_total', 'applied') === 1, 'the reload');
  await t.throwsAsync(async () => {
    const response = await mesh.fetch('http://up/');
    if (response.status !== 200) throw new Error(String(response.status));
  });
  t.is(counted(server, failures, 'certificate_untrusted'), 1);
});

test('the end of a certificate is a metric, degrades health before and fails it after', (t) => {
  const clock = new FakeClock();
  const metrics = new MetricsTable();
  const { logger, lines } = recordingLogger();
  const table = new CredentialTable({ clock, metrics, logger, files: null }, () => t.fail() as never);
  const { authority } = testAuthority('td-a', clock.wallNow());
  const pair = plainPair(issued(authority, { spiffeId: 'spiffe://td-a/users' }, clock.wallNow(), 4 * hourMs));
  const untilMs = clock.wallNow() + 4 * hourMs;
  const owner = { side: 'listener', name: 'in' } as const;
  const credentials = table.open(owner, { certificates: [pair] }, () => true);
  const series = metrics.snapshot().series.find(({ name }) => /expiry/.test(name));
  t.is(series?.name, 'heddle_listener_tls_certificate_expiry_timestamp_seconds');
  t.deepEqual(series?.values, [untilMs / 1000]);
  t.is(credentials.health().status, 'ok');
  clock.advance(2.9 * hourMs);
  t.is(credentials.health().status, 'ok');
  clock.advance(0.2 * hourMs);
  t.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [['warn', 'TLS certificate expires soon']],
  );
  t.is(credentials.health().status, 'degraded');
  t.regex(credentials.health().reason, /^the certificate of spiffe:\/\/td-a\/users expires at 2026/);
  clock.advance(hourMs);
  t.is(credentials.health().status, 'failed');
  t.is(lines.length, 2);
  credentials.close();
  t.is(clock.pendingTimers, 0);
  t.is(metrics.snapshot().series.filter(({ name }) => /expiry/.test(name)).length, 0);
});

test('a certificate that has expired does not take the place of one that has not', (t) => {
  const clock = new FakeClock();
  const { authority } = testAuthority('td-a', clock.wallNow());
  const good = issued(authority, {}, clock.wallNow(), hourMs);
  const stale = issued(authority, {}, clock.wallNow() - 2 * hourMs, hourMs);
  const folder = directory(t);
  const files = writePair(folder, 'own', good);
  const context = { clock, metrics: new MetricsTable(), logger: silentLogger, files: null };
  const table = new CredentialTable(context, () => t.fail() as never);
  const credentials = table.open(
    { side: 'cluster', name: 'up' },
    { certificates: [files] },
    (given) => given,
  );
  writePair(folder, 'own', stale);
  credentials.refresh();
  t.is(credentials.current?.certificates[0]?.cert, good.cert);
  t.regex(credentials.health().reason, /the new certificate of a\.test expired at/);
  table.close();
});

test('a source of an extension gives what it has when it has it', async (t) => {
  const { ca, authority } = testAuthority();
  let secrets: Partial<TlsSecrets> | null = null;
  let changed = (): void => {};
  const late: SecretSourceDefinition = {
    name: 'late',
    config: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
    create: () => ({
      read: () => secrets,
      watch: (onChange) => {
        changed = onChange;
        return () => {};
      },
    }),
  };
  const mesh = await listening(t, { source: 'late' }, 'http1', { use: [{ secretSources: [late] }] });
  t.is((await ask(portOf(mesh), { ca })).answer, '');
  t.is(counted(mesh, failures, 'no_certificate'), 1);
  t.deepEqual([healthOf(mesh)?.status, healthOf(mesh)?.reason], ['failed', 'there is no certificate yet']);
  secrets = { certificates: [{ ...issued(authority), ocsp: null }] };
  changed();
  await eventually(() => healthOf(mesh)?.status === 'ok', 'the certificate');
  t.regex((await ask(portOf(mesh), { ca })).answer, /^HTTP\/1\.1 200/);
});
