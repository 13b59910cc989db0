import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { contextOf } from '../../../src/transport/tls/contexts.ts';
import { CertificateFolder } from '../../../src/transport/tls/x509/folder.ts';
import { readRevocationList } from '../../../src/transport/tls/x509/revocation-list.ts';
import { ask, counted, directory, failures, hourMs, listening, portOf } from './support.ts';

const dayMs = 24 * hourMs;

/** A folder with a CA and certificates of two workloads, and a clock that stands. */
async function workloads(t: ExecutionContext, nowMs = Date.now()) {
  const place = directory(t);
  const time = { nowMs };
  const folder = new CertificateFolder(place, () => time.nowMs);
  await folder.init('td-a', 30 * dayMs);
  for (const name of ['users', 'gateway']) await folder.issue({ name, lifetimeMs: dayMs });
  const text = (file: string): string => readFileSync(join(place, file), 'utf8');
  const serial = (name: string): string =>
    new X509Certificate(text(`${name}.pem`)).serialNumber.toLowerCase();
  return { place, folder, time, text, serial };
}

/** What a workload has read of the folder. */
const stateOf = (text: (file: string) => string, name: string) => ({
  ca: text('ca.pem'),
  crl: text('ca.crl'),
  cert: text(`${name}.pem`),
  key: text(`${name}.key`),
});
type State = ReturnType<typeof stateOf>;

/** Whether a listener that read one state lets a client in that read another, and is trusted by it. */
async function meets(t: ExecutionContext, server: State, client: State): Promise<boolean> {
  const { ca, crl, cert, key } = server;
  const mesh = await listening(t, {
    certificates: [{ cert, key }],
    clientCertificate: 'required',
    ca,
    crl,
  });
  const { answer, socket } = await ask(portOf(mesh), {
    ...client,
    crl: client.crl.match(/-----BEGIN[\s\S]*?-----END.*\n/g) ?? [],
    servername: 'localhost',
  });
  await mesh.close();
  return answer.endsWith('well') && socket.authorized;
}

test('revoke adds to the list, numbers it on, and keeps the time of what was revoked before', async (t) => {
  const { folder, time, text, serial } = await workloads(t);
  const empty = await folder.revoke([], 30 * dayMs);
  t.deepEqual(empty.serials, []);
  await folder.revoke(['users'], 30 * dayMs);
  const firstMs = time.nowMs;
  time.nowMs += dayMs;
  const { serials, path, expires } = await folder.revoke(['users', 'gateway'], 30 * dayMs, ['00:0A:ff']);
  t.deepEqual(serials, ['aff', serial('gateway'), serial('users')].toSorted());
  t.is(expires, new Date(time.nowMs + 30 * dayMs).toISOString());
  const list = readRevocationList(text('ca.crl'), path);
  t.is(list.number, 3);
  const times = new Map(
    list.revoked.map((each) => [each.serial.toString('hex').replace(/^0+/, ''), each.atMs]),
  );
  t.is(times.get(serial('users')), Math.floor(firstMs / 1000) * 1000);
  t.is(times.get('aff'), Math.floor(time.nowMs / 1000) * 1000);
  await t.throwsAsync(folder.revoke([], dayMs, ['not hex']), { code: 'ERR_CERTS_OPTION' });
  await t.throwsAsync(folder.revoke(['nobody'], dayMs), { code: 'ERR_CERTS_READ' });
});

test('rotate leaves what is revoked alone, and renews a list that has less than half of its time left', async (t) => {
  const { folder, time, serial } = await workloads(t);
  await folder.revoke(['users'], 10 * dayMs);
  const before = serial('users');
  const early = await folder.rotate([], true);
  t.deepEqual(
    early.rotated.map(({ name }) => name),
    ['gateway'],
  );
  t.deepEqual(early.revoked, ['users']);
  t.is(early.renewed, null);
  time.nowMs += 6 * dayMs;
  const { renewed } = await folder.rotate(['gateway']);
  t.deepEqual(renewed?.serials, [before]);
  // A minute of it is for clocks that differ.
  t.true(Date.parse(renewed?.expires ?? '') - time.nowMs >= 10 * dayMs);
  await folder.issue({ name: 'users', lifetimeMs: dayMs, force: true });
  t.deepEqual((await folder.rotate([], true)).revoked, []);
});

test('a CA takes the place of another: who is one step ahead or behind is trusted, who is revoked is not', async (t) => {
  const { folder, text } = await workloads(t);
  await folder.issue({ name: 'thief', lifetimeMs: dayMs });
  await folder.revoke(['thief'], 30 * dayMs);
  const states: State[] = [];
  const note = (): void => void states.push(stateOf(text, 'users'));
  const thief = stateOf(text, 'thief');
  note();
  await folder.beginAuthority();
  note();
  const { rotated, revoked } = await folder.switchAuthority();
  t.deepEqual([rotated.map(({ name }) => name), revoked], [['gateway', 'users'], ['thief']]);
  note();
  await folder.finishAuthority();
  note();
  for (const [n, state] of states.entries()) {
    const next = states[n + 1] ?? state;
    t.true(await meets(t, state, next), `step ${n}: the client is ahead`);
    t.true(await meets(t, next, state), `step ${n}: the listener is ahead`);
    t.false(await meets(t, state, thief), `step ${n}: revoked`);
  }
  t.false(await meets(t, states[3] as State, states[0] as State), 'the old CA is trusted no more');
});

test('the steps of a CA have their order, and none is lost where one was cut short', async (t) => {
  const { place, folder, text } = await workloads(t);
  const wrong = { code: 'ERR_CERTS_STEP' };
  await t.throwsAsync(folder.switchAuthority(), wrong);
  await t.throwsAsync(folder.finishAuthority(), wrong);
  const old = { pem: text('ca.pem'), key: text('ca.key') };
  await folder.beginAuthority();
  t.is(text('ca.key'), old.key);
  t.true(text('ca.pem').startsWith(old.pem));
  await t.throwsAsync(folder.beginAuthority(), wrong);
  await t.throwsAsync(folder.finishAuthority(), wrong);
  // As if the switch had ended after the new key: nothing is issued until it is repeated.
  for (const ending of ['pem', 'key'] as const)
    writeFileSync(join(place, `ca-former.${ending}`), old[ending]);
  writeFileSync(join(place, 'ca.key'), text('ca-next.key'));
  await t.throwsAsync(folder.issue({ name: 'x', lifetimeMs: dayMs }), { code: 'ERR_CERTS_READ' });
  await folder.switchAuthority();
  t.true(text('ca.pem').endsWith(old.pem));
  await t.throwsAsync(folder.beginAuthority(), wrong);
  writeFileSync(join(place, 'users.pem'), text('ca-former.pem'));
  await t.throwsAsync(folder.finishAuthority(), { ...wrong, message: /users: of the old CA/ });
  await folder.finishAuthority(true);
  t.is(text('ca.pem').split('BEGIN').length, 2);
});

test('every list of a file counts, and one that is cut is refused', async (t) => {
  const { folder, text } = await workloads(t);
  await folder.revoke(['gateway'], dayMs);
  await folder.beginAuthority();
  const lists = text('ca.crl').split(/(?=-----BEGIN)/);
  t.is(lists.length, 2);
  const { ca, crl, cert, key } = stateOf(text, 'users');
  // The list that names the client stands last.
  const mesh = await listening(t, {
    certificates: [{ cert, key }],
    clientCertificate: 'required',
    ca,
    crl: lists.toReversed().join(''),
  });
  const { answer } = await ask(portOf(mesh), {
    ...stateOf(text, 'gateway'),
    crl: [],
    servername: 'localhost',
  });
  t.is(answer, '');
  t.is(counted(mesh, failures, 'certificate_revoked'), 1);
  const secrets = { certificates: [], ca, ticketSecret: null };
  for (const bad of [crl.slice(0, -30), `${lists[0]}-----BEGIN X509 CRL-----\nMII`, 'nothing']) {
    t.throws(() => contextOf({} as never, { ...secrets, crl: bad }, undefined, 'listener in'), {
      code: 'ERR_TLS_CONFIG',
    });
  }
});
