import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { version } from '../../src/index.ts';
import { deadAddress, echo, upstream } from '../mesh/support.ts';
import { folder, gateway, heddle, proxyProcess } from './support.ts';

const yaml = `
listeners:
  - name: in
    address: 127.0.0.1:0
    filters: [request-id, { name: cors, config: { allowOrigins: ['https://app.example'] } }]
    virtualHosts:
      - name: all
        domains: ['*']
        routes:
          - match: { prefix: / }
            cluster: users
            retry: { numRetries: 2 }
clusters:
  - name: users
    endpoints: ['127.0.0.1:8080', { address: '127.0.0.1:8081', weight: 3 }]
admin: { address: '127.0.0.1:0', token: hunter2hunter2 }
`;

async function file(t: Parameters<typeof folder>[0], text: string, name = 'heddle.yaml'): Promise<string> {
  const path = join(await folder(t), name);
  await writeFile(path, text);
  return path;
}

test('check: 0 and one line when all is well', async (t) => {
  const path = await file(t, yaml);
  const { code, stdout, stderr } = await heddle(['check', '-c', path]);
  t.is(code, 0, stderr);
  t.regex(stdout, /is fine: 1 listeners?, 1 clusters?/);
  t.deepEqual(JSON.parse((await heddle(['check', '-c', path, '--json'])).stdout), {
    ok: true,
    format: 'heddle',
    problems: [],
    notices: [],
  });
});

test('check: 2 and every problem with file, line, what is allowed and the nearest word', async (t) => {
  const path = await file(
    t,
    yaml.replace('cluster: users', 'cluster: user').replace('request-id', 'requestid'),
  );
  const { code, stderr } = await heddle(['check', '-c', path]);
  t.is(code, 2);
  t.regex(stderr, /heddle\.yaml:5\b.*request-id/);
  t.regex(stderr, /heddle\.yaml:11\b.*"users"/);
  const told = JSON.parse((await heddle(['check', '-c', path, '--json'])).stdout) as {
    ok: boolean;
    problems: { path: string; line: number }[];
  };
  t.false(told.ok);
  t.deepEqual(
    told.problems.map((each) => each.line),
    [5, 11],
  );
});

test('run and check: 2 for a file that is missing, no YAML, or wrong; 2 for an unknown option', async (t) => {
  const broken = await file(t, 'listeners: [');
  const wrong = await file(t, 'listeners: 1');
  for (const command of ['run', 'check', 'dump']) {
    const missing = await heddle([command, '-c', '/nowhere/heddle.yaml']);
    t.is(missing.code, 2, command);
    t.regex(missing.stderr, /ERR_CONFIG_READ.*\/nowhere\/heddle\.yaml/);
    t.is((await heddle([command, '-c', broken])).code, 2, command);
    const refused = await heddle([command, '-c', wrong]);
    t.is(refused.code, 2, command);
    t.regex(refused.stderr, /listeners/);
  }
  const typo = await heddle(['run', '--cofnig', wrong]);
  t.is(typo.code, 2);
  t.regex(typo.stderr, /Did you mean --config\?/);
  const drain = await heddle(['run', '--drain-ms', 'soon', '-c', wrong]);
  t.is(drain.code, 2);
  t.regex(drain.stderr, /whole number/);
  t.is((await heddle(['run', '--log-level', 'loud', '-c', wrong])).code, 2);
  t.is((await heddle(['rnu'])).code, 2);
});

test('run: an address in use ends it with the reason and code 2', async (t) => {
  const { address } = await upstream(t, echo);
  const path = await file(t, yaml.replace('address: 127.0.0.1:0', `address: ${address}`));
  const { code, stderr } = await heddle(['run', '-c', path]);
  t.is(code, 2);
  t.regex(stderr, /ERR_LISTENER_ADDRESS.*EADDRINUSE/);
});

test('dump: the dump of a dump is the same, and a proxy that runs it says so too', async (t) => {
  const first = await heddle(['dump', '-c', await file(t, yaml), '--secrets']);
  t.is(first.code, 0, first.stderr);
  const second = await heddle(['dump', '-c', await file(t, first.stdout), '--secrets']);
  t.is(second.stdout, first.stdout);
  const asJson = await heddle(['dump', '-c', await file(t, first.stdout), '--json', '--secrets']);
  t.deepEqual(JSON.parse(asJson.stdout), parse(first.stdout));
  const child = await proxyProcess(t, JSON.parse(asJson.stdout) as object);
  const running = (await (await fetch(`http://${child.admin}/config_dump`)).json()) as {
    admin: { token: string };
  };
  const wanted = JSON.parse(asJson.stdout) as { admin: { token: string } };
  t.is(wanted.admin.token, 'hunter2hunter2');
  t.deepEqual(running, { ...wanted, admin: { ...wanted.admin, token: '[redacted]' } });
  t.false((await heddle(['dump', '-c', await file(t, yaml)])).stdout.includes('hunter2'));
});

test('help, version and the exit codes', async (t) => {
  const help = await heddle(['--help']);
  t.is(help.code, 0);
  for (const command of ['run', 'check', 'dump', 'diff', 'init', 'demo'])
    t.regex(help.stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
  t.regex(help.stdout, /Exit codes:/);
  t.is((await heddle(['--version'])).stdout, `${version}\n`);
  for (const command of ['run', 'check', 'dump', 'diff', 'init', 'demo'])
    t.is((await heddle([command, '--help'])).code, 0);
});

test('a Node that is too old gets one line that names the version needed', async (t) => {
  const old = (text: string): string =>
    `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${text}' } })`;
  for (const text of ['18.20.0', '22.17.1', '20.19.5']) {
    const { code, stdout, stderr } = await heddle(['check'], ['--import', old(text)]);
    t.is(code, 1);
    t.is(stdout, '');
    t.is(stderr, `[ERR_NODE_VERSION] heddle needs Node 22.18 or newer, this is ${text}\n`);
  }
  t.is((await heddle(['--version'], ['--import', old('22.18.0')])).code, 0);
});

test('demo: traffic through process and proxy while instances come and go, nothing lost, code 0', async (t) => {
  t.timeout(120_000);
  const { code, stdout, stderr } = await heddle(['demo', '--seconds', '3', '--json']);
  t.is(code, 0, stderr);
  const told = JSON.parse(stdout) as {
    calls: number;
    lost: number;
    rows: { name: string; calls: number; hosts: Record<string, number> }[];
  };
  t.is(told.lost, 0);
  t.deepEqual(
    told.rows.map((row) => row.name),
    ['in-process', 'proxy', 'bolt', 'dubbo', 'json to dubbo'],
  );
  for (const row of told.rows) {
    t.true(row.calls > 20, JSON.stringify(row));
    for (const host of ['users-1', 'users-2', 'users-3', 'users-4']) t.true((row.hosts[host] ?? 0) > 0, host);
  }
  const wrong = await heddle(['demo', '--seconds', 'x']);
  t.is(wrong.code, 2);
});

test('run without a reachable cluster still starts and answers 503', async (t) => {
  const child = await proxyProcess(t, gateway(await deadAddress()));
  const response = await fetch(`http://${child.address}/`);
  t.is(response.status, 503);
  t.is(response.headers.get('x-heddle-error'), 'connect_failure');
});
