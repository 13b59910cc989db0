/** Clients of other protocols reach a cluster: the real packages, against stand-ins and plain sockets. */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import test from 'ava';
import { clusterSocket, redisConnector } from '../../src/embedding/tcp/cluster-socket.ts';
import { createMesh } from '../../src/index.ts';
import { deadAddress, tcpUpstream, within } from '../mesh/support.ts';
import { fromInterop, load } from './clients.ts';

interface StandIn {
  readonly address: string;
  close(): void;
}
const standIn = async (name: string): Promise<StandIn> => {
  const { startStandIn } = (await import(
    new URL(`../../examples/${name}/stand-in.js`, import.meta.url).href
  )) as {
    startStandIn(): Promise<StandIn>;
  };
  return startStandIn();
};

test('ioredis works over a cluster', async (t) => {
  const server = await standIn('ioredis');
  t.teardown(() => server.close());
  await using mesh = await createMesh({ clusters: [{ name: 'cache', endpoints: [server.address] }] });
  const { Redis } = fromInterop('ioredis') as { Redis: new (options: object) => RedisClient };
  const redis = new Redis({ Connector: redisConnector(mesh, 'cache') });
  t.is(await within(redis.set('a', '1'), 'set'), 'OK');
  t.is(await within(redis.get('a'), 'get'), '1');
  await redis.quit();
});

interface RedisClient {
  set(key: string, value: string): Promise<string>;
  get(key: string): Promise<string>;
  quit(): Promise<unknown>;
}

test('pg works over a cluster', async (t) => {
  const server = await standIn('pg');
  t.teardown(() => server.close());
  await using mesh = await createMesh({ clusters: [{ name: 'database', endpoints: [server.address] }] });
  const pg = (await load('pg')) as { Client: new (options: object) => PgClient };
  const client = new pg.Client({ user: 'demo', stream: () => clusterSocket(mesh, 'database') });
  await within(client.connect(), 'connect');
  const { rows } = await within(client.query("select 'hello' as greeting"), 'query');
  t.is(rows[0]?.greeting, 'hello');
  await client.end();
});

interface PgClient {
  connect(): Promise<void>;
  query(text: string): Promise<{ rows: { greeting: string }[] }>;
  end(): Promise<void>;
}

test('mysql2 speaks and hears over a cluster', async (t) => {
  // The server's side of mysql2 itself.
  const mysql = fromInterop('mysql2') as MySql;
  const server = mysql.createServer();
  server.on('connection', (connection) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff,
      authCallback: (_given: unknown, done: (refusal: null) => void) => done(null),
    });
    connection.on('query', () => {
      connection.writeTextResult([{ greeting: 'hello' }], [column]);
    });
    connection.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  const inner = server._server;
  await once(inner, 'listening');
  t.teardown(() => server.close());
  const { port } = inner.address() as AddressInfo;
  await using mesh = await createMesh({ clusters: [{ name: 'database', endpoints: [`127.0.0.1:${port}`] }] });
  const connection = mysql.createConnection({ stream: () => clusterSocket(mesh, 'database') });
  const { promise, resolve, reject } = Promise.withResolvers<{ greeting: string }[]>();
  connection.query('select greeting', (error, rows) => (error ? reject(error) : resolve(rows)));
  t.is((await within(promise, 'query'))[0]?.greeting, 'hello');
  connection.destroy();
});

const column = {
  ...{ catalog: 'def', schema: '', table: '', orgTable: '', name: 'greeting', orgName: '' },
  ...{ characterSet: 45, columnLength: 20, columnType: 253, type: 253, flags: 0, decimals: 0 },
};

interface MySql {
  createServer(): {
    readonly _server: Server;
    on(event: 'connection', listener: (connection: MySqlPeer) => void): void;
    listen(port: number, host: string): void;
    close(): void;
  };
  createConnection(options: object): {
    query(text: string, done: (error: Error | null, rows: { greeting: string }[]) => void): void;
    destroy(): void;
  };
}
interface MySqlPeer {
  serverHandshake(options: object): void;
  on(event: string, listener: () => void): void;
  writeTextResult(rows: object[], columns: object[]): void;
}

test('what is written before it is connected arrives, back-pressure and ends pass, failures are errors', async (t) => {
  let gotBytes = 0;
  const { address } = await tcpUpstream(t, (socket) => {
    socket.on('data', (chunk) => {
      gotBytes += chunk.length;
    });
    socket.on('end', () => socket.end(String(gotBytes)));
  });
  const dead = await deadAddress();
  await using mesh = await createMesh({
    clusters: [
      { name: 'sink', endpoints: [address] },
      { name: 'dead', endpoints: [dead] },
    ],
  });
  const socket = clusterSocket(mesh, 'sink');
  t.true(socket.connecting);
  socket.end(Buffer.alloc(4 * 1024 * 1024));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  t.is(text, String(4 * 1024 * 1024));
  t.false(socket.connecting);
  const refused = clusterSocket(mesh, 'dead');
  await t.throwsAsync(within(once(refused, 'connect'), 'the error'), { code: 'ERR_UPSTREAM_CONNECT' });
  const idle = clusterSocket(mesh, 'sink').setTimeout(20);
  await within(once(idle, 'timeout'), 'the timeout');
  idle.destroy();
});
