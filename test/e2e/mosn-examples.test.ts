import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkConfigFile, createMesh, silentLogger, startStandalone } from '../../src/index.ts';
import {
  deadAddress,
  type Echoed,
  echo,
  eventually,
  tcpUpstream,
  upstream,
  within,
} from '../mesh/support.ts';
import { folder, Raw } from './support.ts';

type Json = Record<string, unknown>;
interface Mosn {
  servers: { listeners: (Json & { name: string })[] }[];
  cluster_manager: { clusters: (Json & { name: string; hosts: Json[] })[] };
}

async function example(name: string): Promise<Mosn> {
  return JSON.parse(await readFile(`test/golden/mosn/${name}.json`, 'utf8')) as Mosn;
}

/** The example on free ports, its hosts at the addresses given by cluster. @returns addresses of its listeners */
async function run(
  t: ExecutionContext,
  config: Mosn,
  hosts: Readonly<Record<string, readonly string[]>>,
): Promise<Readonly<Record<string, string>>> {
  for (const listener of config.servers[0]?.listeners ?? []) listener['address'] = '127.0.0.1:0';
  for (const cluster of config.cluster_manager.clusters) {
    const addresses = hosts[cluster.name] ?? [];
    cluster.hosts = addresses.map((address, index) => ({ ...cluster.hosts[index], address }));
  }
  const configPath = join(await folder(t), 'mosn.json');
  await writeFile(configPath, JSON.stringify(config));
  const standalone = await startStandalone({ configPath, logger: silentLogger, watches: false });
  t.teardown(() => standalone.close());
  return standalone.mesh.listeners.addresses;
}

/** Status, headers and body of one request, its Host header as given. */
async function ask(address: string, host: string, path: string, headers = ''): Promise<string> {
  using raw = new Raw(address);
  raw.send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${headers}connection: close\r\n\r\n`);
  // Awaited here: the connection ends with this function.
  return await raw.whole();
}

/** Status and body of one request with prior knowledge of HTTP/2. */
async function overHttp2(
  t: ExecutionContext,
  address: string,
  host: string,
  path: string,
): Promise<[status: number, body: string]> {
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const stream = session.request({ ':authority': host, ':path': path });
  const [headers] = (await within(once(stream, 'response'), 'an answer over HTTP/2')) as [
    IncomingHttpHeaders,
  ];
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  return [Number(headers[':status']), body];
}

const echoed = (answer: string): Echoed => JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '{}') as Echoed;

test('HTTP: local answers, redirects, patterns, weights, mirrors, subsets of hosts, headers with the name of the listener', async (t) => {
  const config = await example('http');
  const shadowed: string[] = [];
  const base = await upstream(t, echo);
  const canary = await upstream(t, echo);
  const items = await upstream(t, echo);
  const shadow = await upstream(t, (request, response) => {
    shadowed.push(request.url ?? '');
    response.end();
  });
  const check = config.cluster_manager.clusters.find((each) => each.name === 'base')?.['health_check'] as {
    check_config: { http_check_config: { port: number } };
  };
  check.check_config.http_check_config.port = base.port;
  const routers = JSON.stringify(config).replace('"percent":10', '"percent":100');
  const addresses = await run(t, JSON.parse(routers) as Mosn, {
    base: [base.address],
    canary: [canary.address],
    items: [items.address],
    shadow: [`localhost:${shadow.port}`],
  });
  t.deepEqual(await overHttp2(t, addresses['h2'] ?? '', 'shop.local', '/healthz'), [200, 'ok']);
  const at = addresses['h1'] ?? '';
  t.regex(await ask(at, 'shop.local', '/healthz'), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/);
  t.regex(await ask(at, 'shop.local', '/old/page'), /^HTTP\/1\.1 308 [\s\S]*\r\nlocation: \/new\r\n/);
  t.is(echoed(await ask(at, 'shop.local', '/v2/items/7', 'x-user: u\r\n')).url, '/items/7');
  const plain = echoed(await ask(at, 'shop.local', '/cart'));
  t.is(plain.url, '/cart');
  t.is(plain.headers['x-from'], 'h1');
  // "localhost" may be ::1 too, where nobody listens, and a copy is sent once only.
  const copied = async (): Promise<string | undefined> => {
    const canaried = echoed(await ask(at, 'shop.local', '/cart', 'x-canary: 1\r\n'));
    t.is(canaried.headers['x-from'], undefined);
    return shadowed[0];
  };
  t.is(await eventually(copied, 'a copy arrives'), '/cart');
  t.is(echoed(await ask(at, 'other.local', '/any')).url, '/any');
  // The virtual host for all others takes GET only.
  using raw = new Raw(at);
  raw.send('POST /any HTTP/1.1\r\nhost: other.local\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  t.regex(await raw.whole(), /^HTTP\/1\.1 404 /);
});

test('layer 4: TCP by routes, HTTP with other bytes on one port, UDP', async (t) => {
  const server = await tcpUpstream(t, (socket) => {
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (text.startsWith('GET ')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhttp');
      else socket.write(`raw ${text}`);
    });
    socket.on('end', () => socket.end());
  });
  const dns = createSocket('udp4');
  dns.on('message', (message, peer) => dns.send(`answer to ${message}`, peer.port, peer.address));
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  t.teardown(() => dns.close());
  const addresses = await run(t, await example('layer4'), {
    raw: [server.address],
    dns: [`127.0.0.1:${(dns.address() as AddressInfo).port}`],
  });
  for (const name of ['l4', 'mixed']) {
    using raw = new Raw(addresses[name] ?? '');
    raw.send('\u0001\u0002hello');
    t.is(await raw.until(/hello/), 'raw \u0001\u0002hello', name);
  }
  t.regex(await ask(addresses['mixed'] ?? '', 'any', '/'), /^HTTP\/1\.1 200 [\s\S]*http$/);
  const client = createSocket('udp4');
  t.teardown(() => client.close());
  client.send('query', Number(addresses['u']?.split(':').at(-1)), '127.0.0.1');
  const [answer] = (await within(once(client, 'message'), 'an answer to the datagram')) as [Buffer];
  t.is(answer.toString(), 'answer to query');
});

test('bolt, client side and server side: everything is understood, TLS too', async (t) => {
  for (const name of ['bolt-client', 'bolt-server']) {
    const config = await example(name);
    const place = await folder(t);
    const file = join(place, 'mosn.json');
    await writeFile(file, JSON.stringify(config));
    const { config: made, problems } = await checkConfigFile(file);
    t.deepEqual(problems, []);
    const tls = [...(made?.listeners ?? []), ...(made?.clusters ?? [])].flatMap((each) => each.tls ?? []);
    t.is(tls.length, 1, name);
    t.is(tls[0]?.ca, '/etc/mesh/ca.pem');
    t.is(made?.admin?.address.startsWith('127.0.0.1:3490'), true);
  }
});

test('bolt: a call through the client side and the server side of the example, without TLS', async (t) => {
  const service = 'demo.OrderService';
  await using provider = await createMesh();
  await using orders = await provider.serveRpc({
    protocol: 'bolt',
    service,
    version: '1.0',
    methods: { place: (what: string) => `placed ${what}` },
    address: '127.0.0.1:0',
  });
  const plain = async (name: string): Promise<Mosn> => {
    const config = JSON.parse(
      JSON.stringify(await example(name)).replace('"status":true', '"status":false'),
    ) as Mosn & Json;
    delete config['admin'];
    // Its log would stand in /var.
    for (const listener of config.servers[0]?.listeners ?? []) delete listener['access_logs'];
    return config;
  };
  const server = await run(t, await plain('bolt-server'), { local_app: [orders.address] });
  const ingress = server['ingress'] ?? '';
  // The second host is of zone z2, where nobody listens: calls of the route are for z1.
  const client = await run(t, await plain('bolt-client'), { peer_mesh: [ingress, await deadAddress()] });
  await using consumer = await createMesh({
    clusters: [{ name: 'egress', codec: 'bolt', endpoints: [client['egress'] ?? ''] }],
  });
  const reference = consumer.rpc({ protocol: 'bolt', service, version: '1.0', cluster: 'egress' });
  for (let i = 0; i < 5; i++) t.is(await reference.invoke('place', [`order ${i}`]), `placed order ${i}`);
});

test('a MOSN file is read again on a reload; a bad one is refused with its own paths, --lenient holds', async (t) => {
  const { address } = await upstream(t, echo);
  const config = await example('layer4');
  config.servers[0]?.listeners.splice(0, 1);
  config.servers[0]?.listeners.splice(1);
  for (const listener of config.servers[0]?.listeners ?? []) listener['address'] = '127.0.0.1:0';
  for (const cluster of config.cluster_manager.clusters) cluster.hosts = [{ address }];
  const configPath = join(await folder(t), 'mosn.json');
  const write = (parts: object): Promise<void> =>
    writeFile(configPath, JSON.stringify({ ...config, ...parts }));
  await write({});
  await using standalone = await startStandalone({ configPath, logger: silentLogger, watches: false });
  const before = standalone.mesh.listeners.addresses;
  await write({ pid: '/run/mosn.pid' });
  t.true((await standalone.reload()).applied);
  await write({ cluster_manger: {} });
  const refused = await standalone.reload();
  t.false(refused.applied);
  t.deepEqual(
    refused.problems.map(({ path, nearest }) => [path, nearest]),
    [['cluster_manger', 'cluster_manager']],
  );
  t.deepEqual(standalone.mesh.listeners.addresses, before);
  t.regex(await ask(before['mixed'] ?? '', 'any', '/still'), /^HTTP\/1\.1 200 /);
  const lenient = await startStandalone({ configPath, logger: silentLogger, watches: false, lenient: true });
  await lenient.close();
});
