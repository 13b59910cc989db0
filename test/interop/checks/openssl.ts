import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../src/core/base/secret.ts';
import { createMesh } from '../../../src/index.ts';
import { Authority } from '../../../src/transport/tls/x509/authority.ts';
import { CertificateFolder } from '../../../src/transport/tls/x509/folder.ts';
import { judgeStaple } from '../../../src/transport/tls/x509/ocsp.ts';
import type { Check } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';

const hourMs = 3_600_000;

export const check: Check = {
  what: 'openssl verifies what "heddle certs" issues, strictly and with a CRL, and talks to a listener',
  async run(scope) {
    requireProgram('openssl', 'apt-get install openssl');
    const place = await mkdtemp(join(tmpdir(), 'heddle-openssl-'));
    scope.teardown(() => rm(place, { recursive: true, force: true }));
    const folder = new CertificateFolder(place);
    await folder.init('interop.local', 24 * hourMs);
    const users = await folder.issue({ name: 'users', lifetimeMs: hourMs });
    const at = (name: string): string => join(place, name);
    const openssl = async (...args: string[]) => {
      const done = await execute('openssl', args);
      return { code: done.code, text: `${done.stdout}${done.stderr}` };
    };
    const strict = ['verify', '-x509_strict', '-CAfile', at('ca.pem')];
    const plain = await openssl(...strict, users.cert);
    assert.equal(plain.code, 0, plain.text);
    const authority = new Authority({
      cert: await readFile(at('ca.pem'), 'utf8'),
      key: new Secret(await readFile(at('ca.key'), 'utf8')),
    });
    const leaf = new X509Certificate(await readFile(users.cert));
    await writeFile(at('none.crl'), authority.revoke([], 1, Date.now(), hourMs));
    await writeFile(at('one.crl'), authority.revoke([leaf], 2, Date.now(), hourMs));
    const unlisted = await openssl(...strict, '-crl_check', '-CRLfile', at('none.crl'), users.cert);
    assert.equal(unlisted.code, 0, unlisted.text);
    const listed = await openssl(...strict, '-crl_check', '-CRLfile', at('one.crl'), users.cert);
    assert.match(listed.text, /certificate revoked/);
    const revoked = await folder.issue({ name: 'revoked', lifetimeMs: hourMs });
    const dead = new X509Certificate(await readFile(revoked.cert));
    // The index of `openssl ca`: state, expiry, revocation, serial, file, subject.
    const line = (state: string, { serialNumber, subject }: X509Certificate): string =>
      [
        state,
        '491231235959Z',
        state === 'R' ? '260101000000Z' : '',
        serialNumber,
        'unknown',
        `/${subject}`,
      ].join('\t');
    await writeFile(
      at('index.txt'),
      `${[line('V', leaf), line('R', dead)].join('\n').replaceAll('\nCN', '/CN')}\n`,
    );
    for (const [certificate, status] of [
      [users.cert, 'good'],
      [revoked.cert, 'revoked'],
    ] as const) {
      const responder = ['-CA', at('ca.pem'), '-rsigner', at('ca.pem'), '-rkey', at('ca.key')];
      const asked = await openssl(
        'ocsp',
        '-issuer',
        at('ca.pem'),
        '-cert',
        certificate,
        '-no_nonce',
        '-reqout',
        at('req'),
      );
      assert.equal(asked.code, 0, asked.text);
      const times = ['-ndays', '1', '-index', at('index.txt'), '-reqin', at('req'), '-respout', at(status)];
      const answered = await openssl('ocsp', ...responder, ...times);
      assert.equal(answered.code, 0, answered.text);
      const subject = status === 'good' ? leaf : dead;
      const verdict = judgeStaple(await readFile(at(status)), subject, authority.certificate, Date.now());
      assert.equal(verdict.status, status, JSON.stringify(verdict));
    }
    const mesh = await createMesh({
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          tls: {
            certificates: [{ cert: users.cert, key: users.key, ocsp: at('good') }],
            clientCertificate: 'required',
            ca: at('ca.pem'),
          },
          virtualHosts: [
            { name: 'all', domains: ['*'], routes: [{ directResponse: { status: 200, body: 'well' } }] },
          ],
        },
      ],
    });
    scope.teardown(() => mesh.close());
    const target = mesh.listeners.addresses['in'] as string;
    const client = [
      's_client',
      '-connect',
      target,
      '-CAfile',
      at('ca.pem'),
      '-verify_return_error',
      '-brief',
    ];
    for (const version of ['-tls1_2', '-tls1_3']) {
      const own = ['-cert', users.cert, '-key', users.key, version];
      const done = await execute('openssl', [...client, ...own], { input: Buffer.from('Q') });
      assert.match(`${done.stdout}${done.stderr}`, /Verification: OK/, version);
    }
    const status = await execute(
      'openssl',
      [...client.slice(0, -1), '-status', '-cert', users.cert, '-key', users.key],
      {
        input: Buffer.from('Q'),
      },
    );
    assert.match(`${status.stdout}`, /OCSP Response Status: successful[\s\S]*Cert Status: good/);
    await changeAuthority(folder, place);
    return 'verify -x509_strict, CRL, OCSP, s_client with TLS 1.2 and 1.3 and a staple, each step of a change of the CA';
  },
};

/** OpenSSL trusts everybody at each step but who is revoked, by the files of that step. */
async function changeAuthority(folder: CertificateFolder, place: string): Promise<void> {
  const at = (name: string): string => join(place, name);
  const verify = ['verify', '-x509_strict', '-CAfile', at('ca.pem'), '-crl_check', '-CRLfile', at('ca.crl')];
  const judge = async (step: string): Promise<void> => {
    const good = await execute('openssl', [...verify, at('users.pem')]);
    assert.equal(good.code, 0, `${step}: ${good.stdout}${good.stderr}`);
    const bad = await execute('openssl', [...verify, at('revoked.pem')]);
    const word =
      step === 'finish'
        ? /unable to get local issuer|certificate revoked|signature failure/
        : /certificate revoked/;
    assert.match(`${bad.stdout}${bad.stderr}`, word, step);
  };
  await folder.revoke(['revoked'], 24 * hourMs);
  await judge('revoke');
  await folder.beginAuthority();
  await judge('begin');
  await folder.switchAuthority();
  await judge('switch');
  await folder.finishAuthority();
  await judge('finish');
}
