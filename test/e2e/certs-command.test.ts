import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folder, heddle } from './support.ts';

test('certs: init, issue and rotate write files, tell exit codes and never print a key', async (t) => {
  const place = join(await folder(t), 'certs');
  const certs = (...args: string[]) => heddle(['certs', ...args, '-d', place]);
  const early = await certs('issue', 'users');
  t.is(early.code, 2);
  t.regex(early.stderr, /ERR_CERTS_READ.*ca\.key/);
  const init = await certs('init', '--trust-domain', 'shop.local', '--json');
  t.is(init.code, 0, init.stderr);
  t.like(JSON.parse(init.stdout), { trustDomain: 'shop.local', cert: join(place, 'ca.pem') });
  const issue = await certs('issue', 'gateway', 'users', '--hours', '2', '--json');
  t.is(issue.code, 0, issue.stderr);
  const { issued } = JSON.parse(issue.stdout) as { issued: { name: string; spiffeId: string }[] };
  t.deepEqual(
    issued.map(({ name, spiffeId }) => [name, spiffeId]),
    [
      ['gateway', 'spiffe://shop.local/gateway'],
      ['users', 'spiffe://shop.local/users'],
    ],
  );
  const foreign = await certs('issue', 'x', '--spiffe', 'spiffe://elsewhere/x', '--json');
  t.is(foreign.code, 2);
  t.is((JSON.parse(foreign.stdout) as { error: { code: string } }).error.code, 'ERR_CERTS_OPTION');
  const before = readFileSync(join(place, 'users.pem'), 'utf8');
  const rotated = await certs('rotate', 'users', '--force');
  t.regex(rotated.stdout, /^\S+users\.pem is good until \S+, spiffe:\/\/shop\.local\/users\n$/);
  t.not(readFileSync(join(place, 'users.pem'), 'utf8'), before);
  const all = [early, init, issue, foreign, rotated];
  t.notRegex(all.map(({ stdout, stderr }) => stdout + stderr).join(), /PRIVATE KEY/);
});

test('certs: revoke writes the list, rotate-ca goes step by step', async (t) => {
  const place = join(await folder(t), 'certs');
  const certs = (...args: string[]) => heddle(['certs', ...args, '-d', place]);
  await certs('init');
  await certs('issue', 'users', 'thief');
  const revoke = await certs('revoke', 'thief');
  t.is(revoke.code, 0, revoke.stderr);
  t.regex(revoke.stdout, /^\S+ca\.crl revokes 1 certificate and is good until \S+\n$/);
  const early = await certs('rotate-ca', 'switch', '--json');
  t.is(early.code, 2);
  t.is((JSON.parse(early.stdout) as { error: { code: string } }).error.code, 'ERR_CERTS_STEP');
  const begin = await certs('rotate-ca', 'begin');
  t.regex(begin.stdout, /ca-next\.pem is a CA until .*\nonce every workload has read ca\.pem/);
  const change = await certs('rotate-ca', 'switch', '--json');
  t.like(JSON.parse(change.stdout), { step: 'switch', revoked: ['thief'] });
  const finish = await certs('rotate-ca', 'finish');
  t.regex(finish.stdout, /ca\.pem is the only CA, until /);
  t.is((await certs('rotate-ca', 'back')).code, 2);
});
