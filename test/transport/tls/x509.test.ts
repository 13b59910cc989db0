import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { createMesh } from '../../../src/index.ts';
import { namesOf } from '../../../src/transport/tls/names.ts';
import { decodeAll, oid, readTime, sequence, time, unsigned } from '../../../src/transport/tls/x509/der.ts';
import { CertificateFolder } from '../../../src/transport/tls/x509/folder.ts';
import { directory, hourMs, issued, listening, portOf, testAuthority } from './support.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
// Without the program: "npm run interop -- openssl" says so.
const withOpenssl = hasOpenssl ? test : test.skip;

test('a CA and what it issues hold what RFC 5280 and SPIFFE ask for', (t) => {
  const { ca, authority } = testAuthority('prod.example');
  const root = new X509Certificate(ca);
  t.true(root.ca);
  t.is(root.subjectAltName, 'URI:spiffe://prod.example');
  t.true(root.verify(root.publicKey));
  const spiffeId = 'spiffe://prod.example/ns/shop/sa/cart';
  const names = {
    spiffeId,
    dnsNames: ['cart.shop', '*.cart.shop'],
    ipAddresses: ['10.0.0.7', '2001:db8::1'],
  };
  const leaf = new X509Certificate(issued(authority, names).cert);
  t.false(leaf.ca);
  t.true(leaf.checkIssued(root) && leaf.verify(root.publicKey));
  t.is(leaf.checkHost('cart.shop'), 'cart.shop');
  t.is(leaf.checkHost('x.cart.shop'), '*.cart.shop');
  t.is(leaf.checkIP('10.0.0.7'), '10.0.0.7');
  t.is(leaf.checkIP('2001:db8::1'), '2001:db8::1');
  t.deepEqual(namesOf(leaf.subjectAltName, 'URI'), [spiffeId]);
  t.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  t.not(new X509Certificate(issued(authority).cert).serialNumber, leaf.serialNumber);
});

test('a certificate ends with its CA at the latest', (t) => {
  const nowMs = Date.now();
  const { ca, authority } = testAuthority('td-a', nowMs);
  const leaf = new X509Certificate(issued(authority, {}, nowMs, 10_000 * hourMs).cert);
  t.is(leaf.validTo, new X509Certificate(ca).validTo);
});

test('a CA does not vouch for another trust domain', (t) => {
  const { authority } = testAuthority('td-a');
  t.throws(() => issued(authority, { spiffeId: 'spiffe://td-b/x' }), { code: 'ERR_CERTS_OPTION' });
});

withOpenssl('openssl verify -x509_strict accepts what is issued and refuses what is revoked', (t) => {
  const folder = directory(t);
  const { ca, authority } = testAuthority();
  const leaf = issued(authority, { spiffeId: 'spiffe://td-a/users' });
  const at = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const verify = (...more: string[]) => {
    const args = ['verify', '-x509_strict', '-CAfile', at('ca.pem', ca), ...more, at('leaf.pem', leaf.cert)];
    const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  t.deepEqual(verify(), { status: 0, text: `${join(folder, 'leaf.pem')}: OK\n` });
  const none = authority.revoke([], 1, Date.now(), hourMs);
  t.is(verify('-crl_check', '-CRLfile', at('none.crl', none)).status, 0);
  const revoked = authority.revoke([new X509Certificate(leaf.cert)], 2, Date.now(), hourMs);
  t.regex(verify('-crl_check', '-CRLfile', at('one.crl', revoked)).text, /certificate revoked/);
});

test('a folder: keys for their owner alone, nothing overwritten, rotation in the second half of a lifetime', async (t) => {
  const path = directory(t);
  let nowMs = Date.now();
  const folder = new CertificateFolder(path, () => nowMs);
  await t.throwsAsync(folder.issue({ name: 'users', lifetimeMs: hourMs }), { code: 'ERR_CERTS_READ' });
  await folder.init('dev.local', 100 * hourMs);
  await t.throwsAsync(folder.init('dev.local', hourMs), { code: 'ERR_CERTS_WRITE' });
  const made = await folder.issue({
    name: 'users',
    lifetimeMs: 10 * hourMs,
    ipAddresses: ['::1', '10.0.0.1'],
  });
  t.is(made.spiffeId, 'spiffe://dev.local/users');
  for (const name of ['ca.key', 'users.key']) t.is(statSync(join(path, name)).mode & 0o777, 0o600, name);
  await t.throwsAsync(folder.issue({ name: 'users', lifetimeMs: hourMs }), { code: 'ERR_CERTS_WRITE' });
  for (const name of ['ca', '../x', '', 'a/b']) {
    await t.throwsAsync(folder.issue({ name, lifetimeMs: hourMs }), { code: 'ERR_CERTS_OPTION' }, name);
  }
  nowMs += 4 * hourMs;
  t.like(await folder.rotate(), { rotated: [], kept: ['users'] });
  nowMs += 2 * hourMs;
  const before = new X509Certificate(readFileSync(made.cert));
  const { rotated } = await folder.rotate();
  t.deepEqual(
    rotated.map(({ name }) => name),
    ['users'],
  );
  const after = new X509Certificate(readFileSync(made.cert));
  t.is(after.subjectAltName, before.subjectAltName);
  t.not(
    after.publicKey.export({ type: 'spki', format: 'pem' }),
    before.publicKey.export({ type: 'spki', format: 'pem' }),
  );
  t.true(Math.abs(after.validToDate.getTime() - nowMs - 10 * hourMs) < 1500);
  writeFileSync(join(path, 'users.pem'), 'half');
  await t.throwsAsync(folder.rotate(), { code: 'ERR_CERTS_READ', message: /users\.pem/ });
});

test('development mTLS: what a folder holds is all that two meshes need', async (t) => {
  const path = directory(t);
  const folder = new CertificateFolder(path);
  await folder.init('dev.local', hourMs);
  const [gateway, users] = [
    await folder.issue({ name: 'gateway', lifetimeMs: hourMs }),
    await folder.issue({ name: 'users', lifetimeMs: hourMs }),
  ];
  const ca = join(path, 'ca.pem');
  const server = await listening(t, {
    certificates: [{ cert: users.cert, key: users.key }],
    clientCertificate: 'required',
    ca,
    sanMatchers: [{ exact: gateway.spiffeId }],
  });
  const cluster = (certificate: { cert: string; key: string }) => ({
    name: 'users',
    endpoints: [`127.0.0.1:${portOf(server)}`],
    tls: { ca, certificate: { cert: certificate.cert, key: certificate.key }, trustDomain: 'dev.local' },
  });
  const mesh = await createMesh({ clusters: [cluster(gateway)] });
  t.teardown(() => mesh.close());
  t.is(await (await mesh.fetch('http://users/')).text(), 'well');
  const stranger = await createMesh({ clusters: [cluster(users)] });
  t.teardown(() => stranger.close());
  await t.throwsAsync(stranger.fetch('http://users/'));
});

test('DER: numbers, times and lengths', (t) => {
  t.is(unsigned(Buffer.from([0, 0, 0x80])).toString('hex'), '02020080');
  t.is(unsigned(Buffer.from([0])).toString('hex'), '020100');
  t.is(oid('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302');
  t.is(time(Date.UTC(2049, 11, 31, 23, 59, 59))[0], 0x17);
  t.is(time(Date.UTC(2050, 0, 1))[0], 0x18);
  for (const year of [1999, 2026, 2049, 2050]) {
    const [value] = decodeAll(time(Date.UTC(year, 1, 3, 4, 5, 6))) ?? [];
    t.is(value && readTime(value), Date.UTC(year, 1, 3, 4, 5, 6));
  }
  const long = sequence(Buffer.alloc(70_000));
  t.is(decodeAll(long)?.[0]?.body.length, 70_000);
});

test('DER: whatever bytes come, reading ends without reading past them', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const values = decodeAll(Buffer.from(bytes));
      return values === null || values.reduce((sum, { whole }) => sum + whole.length, 0) === bytes.length;
    }),
  );
  t.is(decodeAll(Buffer.from([0x30, 0x80, 0, 0])), null, 'an open length is no DER');
  t.is(decodeAll(Buffer.from([0x30, 0x84, 1, 2, 3, 4])), null);
});
