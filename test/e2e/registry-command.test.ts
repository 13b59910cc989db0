import { join } from 'node:path';
import test from 'ava';
import { folder, heddle, proxy } from './support.ts';

test('what is published by the command is listed, and gone when it is taken back', async (t) => {
  const admin = `unix:${join(await folder(t), 'admin.sock')}`;
  const { configPath } = await proxy(t, {
    admin: { address: admin },
    clusters: [{ name: 'users', discovery: { name: 'memory' } }],
  });
  const config = ['--config', configPath];
  const facts = ['--weight', '3', '--zone', 'east', '--meta', 'version=2', '--meta', 'a=b'];
  const said = await heddle(['registry', 'publish', 'users', '10.0.0.1:80', ...facts, ...config]);
  t.is(said.code, 0, said.stderr);
  t.regex(said.stdout, /users at 10\.0\.0\.1:80: published; it does not survive.*\n {2}memory: published/);
  const [listed, text] = await Promise.all([
    heddle(['registry', 'list', 'users', '--json', '--admin', admin]),
    heddle(['registry', 'list', ...config]),
  ]);
  const { publications } = JSON.parse(listed.stdout) as { publications: object[] };
  t.like(publications[0], {
    service: 'users',
    endpoint: { address: '10.0.0.1:80', weight: 3, zone: 'east', metadata: { version: '2', a: 'b' } },
  });
  t.regex(
    text.stdout,
    /^published:\n {2}users {2}10\.0\.0\.1:80 {2}weight 3 .*memory: published\nsubscribed: nothing$/m,
  );
  const gone = await heddle(['registry', 'unpublish', 'users', '10.0.0.1:80', '--json', ...config]);
  t.like(JSON.parse(gone.stdout), { result: 'unpublished' });
});

test('the token comes from the configuration or the environment; refusals are told with exit code 1', async (t) => {
  const { standalone, configPath } = await proxy(t, { admin: { address: '127.0.0.1:0', token: 'a token' } });
  const publish = ['registry', 'publish', 'users', '10.0.0.1:80', '--admin', standalone.adminAddress];
  const [refused, bad, usage] = await Promise.all([
    heddle([...publish, '--json']),
    heddle(['registry', 'publish', 'users', 'nowhere', '--config', configPath, '--admin', '127.0.0.1:1']),
    heddle(['registry', 'publish', 'users', '10.0.0.1:80', '--meta', 'novalue']),
  ]);
  t.is(refused.code, 1);
  t.like(JSON.parse(refused.stdout), { error: { code: 'ERR_ADMIN_CALL' } });
  t.regex(refused.stdout, /401/);
  t.false(refused.stdout.includes('a token'));
  t.is(bad.code, 1);
  t.is(usage.code, 2);
});
