import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { createMesh, HeddleError } from '../../src/index.ts';
import { echo, eventually, upstream, within } from '../mesh/support.ts';
import { folder, gateway, proxy, proxyProcess } from './support.ts';

const token = 'correct horse battery staple';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

async function ask(
  place: { host: string; port: string } | { socketPath: string },
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body = '' } = options;
  const call = httpRequest({ ...place, path, method, headers, setHost: !('host' in headers) });
  call.end(body);
  const [response] = (await within(once(call, 'response'), path)) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

const at = (address: string) => {
  const [host = '', port = ''] = address.split(':');
  return { host, port };
};

test('a monitor adds its sections and its numbers; one that has stopped takes nothing from the rest', async (t) => {
  const { address: host } = await upstream(t, echo);
  let isOver = false;
  const monitor = {
    sections: [{ path: 'debug/pprof/heap', summary: 'a heap', read: () => ({ body: 'profile' }) }],
    metrics: async () => {
      if (isOver) throw new Error('it has stopped');
      return 'heddle_monitor_rss_bytes 7\n';
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const config = { ...gateway(host), admin: { address: '127.0.0.1:0' }, monitor: {} };
  const { standalone } = await proxy(t, config, false, async () => monitor);
  const read = async (path: string) => ask(at(standalone.adminAddress), path);
  t.is((await read('/debug/pprof/heap')).text, 'profile');
  t.regex((await read('/')).text, /\/debug\/pprof\/heap +GET +a heap/);
  t.regex((await read('/metrics')).text, /^heddle_[\s\S]*\nheddle_monitor_rss_bytes 7\n$/m);
  isOver = true;
  const { status, text } = await read('/metrics');
  t.is(status, 200);
  t.false(text.includes('heddle_monitor'));
});

test('every section answers with what it promises', async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address, standalone } = await proxy(t, {
    ...gateway(host),
    admin: { address: '127.0.0.1:0', token },
  });
  for (let i = 0; i < 5; i++) await (await fetch(`http://${address}/`)).arrayBuffer();
  const read = async (path: string) => ask(at(standalone.adminAddress), path);
  const json = async (path: string): Promise<unknown> => JSON.parse((await read(path)).text);
  t.like(await read('/ready'), { status: 200, text: 'ready\n' });
  t.like(await json('/health'), { status: 'ok' });
  const stats = (await json('/stats?filter=heddle_downstream_requests_total')) as Record<string, number>;
  t.is(stats['heddle_downstream_requests_total{listener=in}'], 5);
  const metrics = await read('/metrics');
  t.regex(metrics.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  t.regex(metrics.text, /^heddle_cluster_requests_total\{cluster="up"[^}]*\} 5$/m);
  const [cluster] = (await json('/clusters?name=up')) as { name: string; hostStats: { address: string }[] }[];
  t.is(cluster?.hostStats[0]?.address, host);
  t.is((await read('/clusters?name=nobody')).status, 404);
  t.like(((await json('/listeners')) as unknown[])[0], { name: 'in', address, isDraining: false });
  t.is((await read('/log-level')).text, 'info\n');
  t.regex((await read('/uptime')).text, /^\d+\n$/);
  t.is((await read('/drain')).status, 405);
  t.is((await read('/nothing')).status, 404);
  const index = await read('/');
  for (const path of [
    'ready',
    'health',
    'stats',
    'metrics',
    'clusters',
    'config_dump',
    'drain',
    'log-level',
  ]) {
    t.true(index.text.includes(`/${path} `), path);
  }
  t.is((await ask(at(standalone.adminAddress), '/ready', { method: 'HEAD' })).text, '');
  t.is((await ask(at(standalone.adminAddress), '//')).status, 400);
});

test('the configuration dump shows everything but secrets', async (t) => {
  const { standalone } = await proxy(t, {
    ...gateway('127.0.0.1:1'),
    admin: { address: '127.0.0.1:0', token },
  });
  const { text, headers } = await ask(at(standalone.adminAddress), '/config_dump');
  t.false(text.includes('correct horse'));
  t.is(headers['cache-control'], 'no-store');
  const dump = JSON.parse(text) as { admin: { token: string } };
  t.is(dump.admin.token, '[redacted]');
  t.like(dump, { clusters: [{ name: 'up', connectTimeoutMs: 5000 }] });
  const error = await t.throwsAsync(createMesh(dump as never), { instanceOf: HeddleError });
  t.regex(error?.message ?? '', /admin\.token/, 'a redacted dump must not run with a known token');
  t.false((error?.message ?? '').includes('correct horse'));
});

test('writes need the token; nothing of it is told to those who guess', async (t) => {
  const { standalone } = await proxy(t, {
    ...gateway('127.0.0.1:1'),
    admin: { address: '127.0.0.1:0', token },
  });
  const write = (headers: Record<string, string>) =>
    ask(at(standalone.adminAddress), '/log-level?level=debug', { method: 'POST', headers });
  for (const headers of [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: `Bearer ${token} x` },
    { authorization: `Basic ${token}` },
    { authorization: token },
  ] as Record<string, string>[]) {
    t.is((await write(headers)).status, 401, JSON.stringify(headers));
  }
  t.is((await ask(at(standalone.adminAddress), '/log-level')).text, 'info\n');
  const authorization = `Bearer ${token}`;
  t.is((await write({ authorization })).text, 'debug\n');
  const bad = await ask(at(standalone.adminAddress), '/log-level?level=loud', {
    method: 'POST',
    headers: { authorization },
  });
  t.is(bad.status, 400);
  t.regex(bad.text, /debug, info, warn, error, off/);
  const huge = await ask(at(standalone.adminAddress), '/log-level?level=info', {
    method: 'POST',
    headers: { authorization },
    body: 'x'.repeat(100_000),
  });
  t.is(huge.status, 400);
});

test('without a token nobody writes over TCP', async (t) => {
  const { standalone } = await proxy(t, { ...gateway('127.0.0.1:1'), admin: { address: '127.0.0.1:0' } });
  for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }] as Record<
    string,
    string
  >[]) {
    t.is((await ask(at(standalone.adminAddress), '/drain', { method: 'POST', headers })).status, 401);
  }
  t.false(standalone.mesh.isDraining);
});

test('a browser on another page cannot use it: Host and Origin are checked', async (t) => {
  const { standalone } = await proxy(t, { ...gateway('127.0.0.1:1'), admin: { address: '127.0.0.1:0' } });
  const address = standalone.adminAddress;
  const own = at(address);
  const status = async (headers: Record<string, string>) => (await ask(own, '/ready', { headers })).status;
  t.is(await status({ host: address }), 200);
  t.is(await status({ host: `localhost:${own.port}` }), 200);
  t.is(await status({ host: 'evil.example' }), 403);
  t.is(await status({ host: `127.0.0.1.evil.example:${own.port}` }), 403);
  t.is(await status({ host: '' }), 403);
  t.is(await status({ host: address, origin: `http://${address}` }), 200);
  t.is(await status({ host: address, origin: 'http://evil.example' }), 403);
  t.is(await status({ host: address, origin: 'null' }), 403);
  t.regex((await ask(own, '/ready', { headers: { host: 'evil.example' } })).text, /ERR_ADMIN_FORBIDDEN/);
});

test('an open address without a token is refused, and so is one that is in use', async (t) => {
  const open = proxy(t, { ...gateway('127.0.0.1:1'), admin: { address: '0.0.0.0:0' } });
  t.like(await t.throwsAsync(open), { code: 'ERR_OPTION_INVALID' });
  const { address } = await upstream(t, echo);
  const taken = proxy(t, { ...gateway('127.0.0.1:1'), admin: { address } });
  t.like(await t.throwsAsync(taken), { code: 'ERR_LISTENER_ADDRESS' });
});

test('on a unix socket of mode 0600 the owner writes without a token; nothing else is ever removed', async (t) => {
  const path = join(await folder(t), 'admin.sock');
  const config = { ...gateway('127.0.0.1:1'), admin: { address: `unix:${path}` } };
  const { standalone } = await proxy(t, config);
  t.is(statSync(path).mode & 0o777, 0o600);
  const written = await ask({ socketPath: path }, '/log-level?level=warn', { method: 'POST' });
  t.is(written.text, 'warn\n');
  t.like(
    await t.throwsAsync(proxy(t, config)),
    { code: 'ERR_LISTENER_ADDRESS' },
    'another process serves it',
  );
  await standalone.close();
  const file = join(await folder(t), 'precious');
  writeFileSync(file, 'data');
  chmodSync(file, 0o644);
  const failed = proxy(t, { ...config, admin: { address: `unix:${file}` } });
  t.like(await t.throwsAsync(failed), { code: 'ERR_LISTENER_ADDRESS' });
  t.true(statSync(file).isFile());
});

test('POST /drain ends the process with code 0 after its requests; /ready says so meanwhile', async (t) => {
  const held: (() => void)[] = [];
  const { address: host } = await upstream(
    t,
    (_request, response) => void held.push(() => response.end('ok')),
  );
  const child = await proxyProcess(t, { ...gateway(host), admin: { address: '127.0.0.1:0', token } });
  const answer = fetch(`http://${child.address}/`);
  await eventually(() => held.length === 1, 'the request');
  const headers = { authorization: `Bearer ${token}` };
  t.is((await ask(at(child.admin), '/drain?deadlineMs=soon', { method: 'POST', headers })).status, 400);
  t.is((await ask(at(child.admin), '/ready')).status, 200);
  t.is((await ask(at(child.admin), '/drain', { method: 'POST', headers })).status, 202);
  t.like(await ask(at(child.admin), '/ready'), { status: 503, text: 'draining\n' });
  held[0]?.();
  t.is(await (await within(answer, 'the answer')).text(), 'ok');
  t.deepEqual(await within(child.exited, 'the end of the process'), [0, null]);
});
