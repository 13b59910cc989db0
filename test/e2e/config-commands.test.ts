import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import { folder, heddle } from './support.ts';

const base = `
listeners:
  - name: in
    address: 127.0.0.1:0
    filters: [request-id, { name: local-rate-limit, config: { bucket: { maxTokens: 10 } } }]
    virtualHosts:
      - name: shop
        domains: [shop.example]
        routes:
          - { name: cart, match: { segmentPrefix: /cart, methods: [POST] }, cluster: users, timeoutMs: 1000 }
          - name: rest
            match: { prefix: / }
            weightedClusters: [{ cluster: users, weight: 3 }, { cluster: other, weight: 1 }]
            filterConfigs: { local-rate-limit: false }
clusters:
  - { name: users, endpoints: ['127.0.0.1:9001', { address: '127.0.0.1:9002', weight: 0 }] }
  - { name: other, endpoints: ['127.0.0.1:9003'] }
admin: { address: '127.0.0.1:9901', token: first-token }
`;
const mosnLayer4 = resolve('test/golden/mosn/layer4.json');

test('diff: 0 for two ways to say the same, 1 with every change by name, 2 for a bad file', async (t) => {
  const place = await folder(t);
  const a = join(place, 'a.yaml');
  const b = join(place, 'b.yaml');
  await writeFile(a, base);
  await writeFile(b, base.replace('timeoutMs: 1000', 'timeoutMs: 1e3'));
  const same = await heddle(['diff', a, b]);
  t.is(same.code, 0, same.stderr);
  t.is(same.stdout, 'the same\n');
  const changed = base
    .replace('timeoutMs: 1000', 'timeoutMs: 2000')
    .replace("'127.0.0.1:9001'", "'127.0.0.1:9004'")
    .replace('first-token', 'second-token')
    .replace('maxTokens: 10', 'maxTokens: 20');
  await writeFile(b, changed);
  const told = await heddle(['diff', a, b]);
  t.is(told.code, 1, told.stderr);
  t.regex(told.stdout, /^~ listeners\.in\.virtualHosts\.shop\.routes\.cart\.timeoutMs: 1000 -> 2000$/m);
  t.regex(
    told.stdout,
    /^~ clusters\.users\.endpoints\[0\]\.address: "127\.0\.0\.1:9001" -> "127\.0\.0\.1:9004"$/m,
  );
  t.regex(told.stdout, /keeps the socket and its connections/);
  t.regex(told.stdout, /keeps state of the filters request-id/);
  t.regex(told.stdout, /replaces the filters local-rate-limit/);
  t.regex(told.stdout, /replaces hosts: 1 more, 1 less/);
  t.notRegex(told.stdout + told.stderr, /first-token|second-token/);
  const json = JSON.parse((await heddle(['diff', a, b, '--json'])).stdout) as {
    equal: boolean;
    changes: object[];
    reload: object[];
  };
  t.false(json.equal);
  t.true(json.changes.length >= 4);
  t.is(json.reload.length, 3);
  await writeFile(b, 'listeners: 3');
  t.is((await heddle(['diff', a, b])).code, 2);
  t.is((await heddle(['diff', a, '/nowhere'])).code, 2);
  t.is((await heddle(['diff', a])).code, 2);
});

test('init: every preset is a good configuration with a schema that is there; nothing is overwritten', async (t) => {
  const place = await folder(t);
  const file = join(place, 'heddle.yaml');
  for (const preset of ['sidecar', 'gateway', 'in-process']) {
    const made = await heddle(['init', '--preset', preset, '-o', file, '--force']);
    t.is(made.code, 0, made.stderr);
    const text = await readFile(file, 'utf8');
    const schema = /^# yaml-language-server: \$schema=(\S+)/.exec(text)?.[1] ?? '';
    t.true(existsSync(resolve(dirname(file), schema)), schema);
    t.is((await heddle(['check', '-c', file])).code, 0, preset);
  }
  const again = await heddle(['init', '-o', file]);
  t.is(again.code, 2);
  t.regex(again.stderr, /ERR_CONFIG_WRITE.*--force/);
  t.is((await heddle(['init', '--preset', 'moon', '-o', file, '--force'])).code, 2);
  t.is((await heddle(['init', '-o', '/nowhere/at/all.yaml'])).code, 2);
});

test('init --from a MOSN file: means the same, tells what has no effect, refuses what cannot run', async (t) => {
  const place = await folder(t);
  const file = join(place, 'heddle.yaml');
  const made = await heddle(['init', '--from', mosnLayer4, '-o', file, '--json']);
  t.is(made.code, 0, made.stderr);
  const told = JSON.parse(made.stdout) as { notices: { path: string }[] };
  t.true(told.notices.some(({ path }) => path.endsWith('.config.routes')));
  t.regex(await readFile(file, 'utf8'), /^# .*layer4\.json:2: servers\[0\]\.default_log_path/m);
  const same = await heddle(['diff', mosnLayer4, file]);
  t.is(same.code, 0, same.stdout);
  const bad = join(place, 'bad.json');
  await writeFile(bad, '{"servers": [{"listenrs": []}]}');
  const refused = await heddle(['init', '--from', bad, '-o', file, '--force']);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /bad\.json:1.*listenrs.*"listeners"/);
  t.is((await heddle(['init', '--from', bad, '-o', file, '--force', '--lenient'])).code, 0);
});

test('check, dump and run --format: the format is told by the keys and may be forced', async (t) => {
  const checked = JSON.parse((await heddle(['check', '-c', mosnLayer4, '--json'])).stdout) as {
    ok: boolean;
    format: string;
  };
  t.like(checked, { ok: true, format: 'mosn' });
  const forced = await heddle(['check', '-c', mosnLayer4, '--format', 'heddle']);
  t.is(forced.code, 2);
  t.regex(forced.stderr, /servers/);
  t.is((await heddle(['check', '-c', mosnLayer4, '--format', 'nginx'])).code, 2);
});

test('explain: where a request goes and why not elsewhere; 1 when it goes nowhere', async (t) => {
  const file = join(await folder(t), 'heddle.yaml');
  await writeFile(file, base);
  const cart = ['explain', '-c', file, '--header', 'host: shop.example', '--path', '/cart/1'];
  const told = await heddle([...cart, '--method', 'POST']);
  t.is(told.code, 0, told.stderr);
  t.regex(told.stdout, /^\* {3}route cart$/m);
  t.regex(told.stdout, /limits .*timeoutMs 1000/);
  t.regex(told.stdout, /^\* {3}host 127\.0\.0\.1:9001/m);
  t.regex(told.stdout, /^- {3}host 127\.0\.0\.1:9002: its weight is 0$/m);
  t.regex(told.stdout, /filter local-rate-limit .*"maxTokens":10/);
  const rest = await heddle(cart);
  t.regex(rest.stdout, /method is POST: the request has "GET"/);
  t.regex(rest.stdout, /filter local-rate-limit .*from the route: off/);
  t.regex(rest.stdout, /^cluster users \(75 per cent\)/m);
  t.regex(rest.stdout, /^cluster other \(25 per cent\)/m);
  const json = JSON.parse((await heddle([...cart, '--json'])).stdout) as { route: { name: string } }[];
  t.is(json[0]?.route.name, 'rest');
  const nowhere = await heddle(['explain', '-c', file, '--header', 'host: other.example']);
  t.is(nowhere.code, 1);
  t.regex(nowhere.stdout, /matches none of its domains[\s\S]*no route: 404/);
  t.is((await heddle([...cart, '--listener', 'out'])).code, 2);
  t.is((await heddle([...cart, '--header', 'broken'])).code, 2);
  const inside = await heddle(['explain', '-c', file, '--in-process', '--header', 'host: users']);
  t.is(inside.code, 0, inside.stderr);
  t.regex(inside.stdout, /the authority is the name of a cluster[\s\S]*cluster users/);
});

test('errors: one block with what to do, one JSON object on stdout with --json', async (t) => {
  const file = join(await folder(t), 'heddle.yaml');
  await writeFile(file, 'listeners: [{ name: a, adress: b }]');
  const told = await heddle(['dump', '-c', file]);
  t.is(told.code, 2);
  const lines = told.stderr.trimEnd().split('\n');
  t.is(lines[0], '[ERR_CONFIG_INVALID] the configuration has problems:');
  t.regex(lines[1] ?? '', /^ {2}.*heddle\.yaml:1: listeners\[0\]\.address/);
  t.is(lines.at(-1), 'correct each listed path; "heddle check" prints the same list');
  const json = await heddle(['dump', '-c', file, '--json']);
  t.is(json.code, 2);
  const { error } = JSON.parse(json.stdout) as { error: { code: string; problems: { path: string }[] } };
  t.is(error.code, 'ERR_CONFIG_INVALID');
  t.true(error.problems.some(({ path }) => path === 'listeners[0].adress'));
  const missing = await heddle(['diff', '/nowhere', file, '--json']);
  t.is(missing.code, 2);
  t.is((JSON.parse(missing.stdout) as { error: { code: string } }).error.code, 'ERR_CONFIG_READ');
});
