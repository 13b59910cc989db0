import test from 'ava';
import { echo, upstream } from '../mesh/support.ts';
import { gateway, proxy } from './support.ts';

const token = 'correct horse battery staple';

test("MOSN's admin API: reads in its shapes, writes with the token", async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address, standalone } = await proxy(t, {
    ...gateway(host),
    admin: { address: '127.0.0.1:0', token },
  });
  for (let i = 0; i < 3; i++) await (await fetch(`http://${address}/`)).arrayBuffer();
  const at = `http://${standalone.adminAddress}/api/v1`;
  const text = async (path: string): Promise<string> => (await fetch(`${at}/${path}`)).text();
  const json = async (path: string): Promise<unknown> => JSON.parse(await text(path));

  t.regex(await text('version'), /^mosn version: heddle\/\d/);
  t.is(await text('states'), `pid=${process.pid}&state=6\n`);
  t.deepEqual(await json('get_loglevel'), { stderr: 'INFO' });

  const dump = (await json('config_dump')) as Record<
    'listener' | 'cluster' | 'routers',
    Record<string, object>
  >;
  t.like(dump.listener['in'], { name: 'in', bind_port: true, network: 'tcp' });
  t.like(dump.cluster['up'], { type: 'SIMPLE', lb_type: 'LB_ROUNDROBIN', connect_timeout: '5s' });
  t.like(dump.routers['in'], { router_config_name: 'in' });
  t.notRegex(JSON.stringify(dump), /correct horse/);
  t.deepEqual(await json('config_dump?cluster=up'), dump.cluster['up']);
  t.deepEqual(await json('config_dump?alllisteners'), dump.listener);
  t.deepEqual(await json('config_dump?cluster=__proto__'), {});
  t.is((await fetch(`${at}/config_dump?a=1&b=2`)).status, 400);
  t.is((await fetch(`${at}/config_dump?other`)).status, 500);

  const stats = (await json('stats')) as Record<string, Record<string, Record<string, string>>>;
  t.is(stats['downstream']?.['listener.in']?.['request_total'], '3');
  t.is(stats['downstream']?.['proxy.global']?.['request_total'], '3');
  t.is(stats['upstream']?.['cluster.up']?.['response_success'], '3');
  t.deepEqual(await json('stats?key=upstream.cluster.up'), {
    upstream: { 'cluster.up': stats['upstream']?.['cluster.up'] },
  });
  t.is(await text('stats?key=nothing'), 'no metrics key: nothing');
  t.regex(await text('stats_glob'), /^request_total:3$/m);

  t.like(await json('features'), { auto_config: false });
  t.is(await text('features?key=auto_config'), 'false');

  process.env['HEDDLE_TEST_ENV'] = 'shown';
  process.env['TEST_DATABASE_PASSWORD'] = 'hidden';
  t.teardown(() => {
    delete process.env['HEDDLE_TEST_ENV'];
    delete process.env['TEST_DATABASE_PASSWORD'];
  });
  t.deepEqual(await json('env?key=HEDDLE_TEST_ENV&key=TEST_DATABASE_PASSWORD&key=HEDDLE_NOT_THERE'), {
    env: { HEDDLE_TEST_ENV: 'shown' },
    not_found: ['TEST_DATABASE_PASSWORD', 'HEDDLE_NOT_THERE'],
  });
  t.is((await fetch(`${at}/env`)).status, 400);

  const update = async (body: string, authorization?: string): Promise<[number, string]> => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${at}/update_loglevel`, { method: 'POST', body, headers });
    return [response.status, await response.text()];
  };
  const good = JSON.stringify({ log_path: 'stderr', log_level: 'WARN' });
  t.is((await update(good))[0], 401);
  t.deepEqual(await update(good, `Bearer ${token}`), [200, 'update logger success\n']);
  t.deepEqual(await json('get_loglevel'), { stderr: 'WARN' });
  for (const bad of [
    '',
    'null',
    '{"log_level":"LOUD"}',
    '{"log_path":"/x","log_level":"INFO"}',
    '{"log_level":"__proto__"}',
  ]) {
    const [status, told] = await update(bad, `Bearer ${token}`);
    t.is(status, 400, bad);
    t.deepEqual(JSON.parse(told), { error: 'update logger failed' });
  }
  t.is((await fetch(`${at}/update_loglevel`)).status, 405);
});
