import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MeshConfig } from '../../../src/index.ts';
import { proxyProcess } from '../../e2e/support.ts';
import type { Scope } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';
import type { Jvm } from '../kit/java.ts';

type Protocol = 'bolt' | 'dubbo';

const peer = 'heddle.interop.Peer';

/** curl calls the Java server through a proxy that makes calls of JSON. @returns how many calls were made */
export async function curlToJava(scope: Scope, protocol: Protocol, java: string): Promise<number> {
  const curl = requireProgram('curl', 'apt-get install curl');
  const group = protocol === 'dubbo' ? 'interop' : '';
  const proxy = await proxyProcess(
    scope,
    transcoding(
      'http1',
      { to: protocol, version: '1.0', group, argTypes: { sum: ['long', 'long'] } },
      protocol,
      java,
    ),
  );
  const call = async (method: string, body: unknown): Promise<{ status: number; json: unknown }> => {
    const url = `http://${proxy.address}/${peer}/${method}`;
    const args = ['-sS', '--max-time', '20', '-w', '\n%{http_code}', '-d', JSON.stringify(body), url];
    const done = await execute(curl, args);
    assert.equal(done.code, 0, done.stderr);
    const [json = '', status = ''] = done.stdout.toString().split('\n');
    return { status: Number(status), json: JSON.parse(json) as unknown };
  };
  const text = { argTypes: ['java.lang.String'] };
  assert.deepEqual(await call('echo', { args: ['grüße 😀'], ...text }), { status: 200, json: 'grüße 😀' });
  assert.deepEqual(await call('sum', [1, 2]), { status: 200, json: 3 });
  const user = { name: 'ann', age: 40, balance: 5, score: 1.5, active: true, tags: ['x'] };
  const typed = { args: [user, 2], argTypes: ['heddle.interop.User', 'int'] };
  // Dubbo's provider makes its class of plain JSON by itself.
  const older = await call('older', protocol === 'dubbo' ? [user, 2] : typed);
  assert.equal(older.status, 200);
  assert.equal((older.json as { age: number }).age, 42);
  const declared = await call('declared', { args: ['x'], ...text });
  assert.equal(declared.status, 500);
  assert.deepEqual(declared.json, {
    error: {
      code: 'ERR_RPC_EXCEPTION',
      class: 'heddle.interop.DeclaredException',
      message: 'declared: x',
    },
  });
  const missing = await call('noSuchMethod', []);
  assert.equal(missing.status, 500);
  return 5;
}

/** The Java client calls an HTTP service through a proxy that makes JSON of its calls. */
export async function javaToHttp(scope: Scope, protocol: Protocol, client: Jvm): Promise<number> {
  const service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const args = JSON.parse(Buffer.concat(chunks).toString()) as unknown[];
      const method = request.url?.split('/').at(-1);
      const error = { class: 'java.lang.IllegalStateException', message: `runtime: ${String(args[0])}` };
      const isError = method === 'runtime';
      response.writeHead(isError ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isError ? { error } : args[0]));
    });
  });
  scope.teardown(() => void service.close());
  await once(service.listen(0, '127.0.0.1'), 'listening');
  const { port } = service.address() as AddressInfo;
  const proxy = await proxyProcess(
    scope,
    transcoding(protocol, { to: 'http', headers: ['tenant'] }, 'http1', `127.0.0.1:${port}`),
  );
  assert.equal(await client.ask('call', proxy.address, 'echo'), 'grüße 😀');
  assert.equal(await client.ask('call', proxy.address, 'null'), 'null');
  assert.equal(await client.ask('call', proxy.address, 'note'), 'sent');
  assert.equal(await client.ask('call', proxy.address, 'big'), 'true');
  assert.equal(await client.ask('call', proxy.address, 'concurrent'), '400 right');
  await assert.rejects(
    client.ask('call', proxy.address, 'runtime'),
    /java\.lang\.IllegalStateException: runtime: x/,
  );
  return 405;
}

function transcoding(
  from: 'http1' | Protocol,
  config: object,
  to: 'http1' | Protocol,
  endpoint: string,
): MeshConfig {
  return {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: from,
        maxBufferedBytes: 4_194_304,
        filters: ['request-id', { name: 'transcode', config }],
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster: 'up' }] }],
      },
    ],
    clusters: [{ name: 'up', codec: to, endpoints: [endpoint] }],
  };
}
