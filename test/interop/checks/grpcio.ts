import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMesh } from '../../../src/index.ts';
import { bytesMethod, type GrpcClient, grpcStatusOfError } from '../../../src/transport/grpc/index.ts';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { within } from '../../mesh/support.ts';
import { openChannel } from '../../transport/grpc/support.ts';
import type { Check, Scope } from '../kit/check.ts';
import { execute } from '../kit/execute.ts';
import { loadGrpcJs, startEchoServer } from '../kit/grpc-js.ts';
import { pythonWith } from '../kit/python.ts';

const peer = fileURLToPath(new URL('../python/grpc_peer.py', import.meta.url));

async function startPython(scope: Scope, python: string): Promise<{ address: string; version: string }> {
  const child = spawn(python, [peer, 'server'], { stdio: ['pipe', 'pipe', 'inherit'] });
  scope.teardown(() => child.kill('SIGKILL'));
  const [line] = (await within(once(createInterface({ input: child.stdout }), 'line'), 'a port')) as [string];
  const { port, version } = JSON.parse(line) as { port: number; version: string };
  return { address: `127.0.0.1:${port}`, version };
}

const proxyTo = (scope: Scope, up: string) =>
  proxyProcess(scope, {
    ...gateway(up, { codec: 'http2', filters: ['grpc-metrics'] }),
    clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }],
  });

async function fromPython(python: string, address: string): Promise<number> {
  const done = await execute(python, [peer, 'client', address]);
  if (done.code !== 0) throw new Error(`grpcio at ${address}: ${done.stderr.slice(-3000)}`);
  return (JSON.parse(String(done.stdout)) as { calls: number }).calls;
}

/** All four kinds with our own client. */
async function fromNode(client: GrpcClient): Promise<number> {
  const of = (name: string) => bytesMethod('test.Echo', name);
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  const answers = Promise.all(names.map((name) => client.unary(of('unary'), Buffer.from(name))));
  assert.deepEqual((await within(answers, '100 calls')).map(String), names);
  const parts = Array.from({ length: 20 }, () => Buffer.alloc(20_000));
  assert.equal(String(await client.clientStream(of('client'), parts)), '400000');
  const got: string[] = [];
  for await (const each of client.serverStream(of('server'), Buffer.from('n'))) got.push(String(each));
  assert.deepEqual(got, ['n0', 'n1', 'n2', 'n3', 'n4']);
  const both = client.open(of('both'));
  const echoes = both[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    await both.send(Buffer.from(`m${i}`));
    assert.equal(String((await within(echoes.next(), 'an echo')).value), `m${i}`);
  }
  both.end();
  assert.ok((await echoes.next()).done);
  await assert.rejects(client.unary(of('unary'), Buffer.alloc(0)), (error) => grpcStatusOfError(error) === 5);
  const late = client.unary(of('unary'), Buffer.from('wait'), { timeoutMs: 200 });
  await assert.rejects(within(late, 'the deadline'), (error) => grpcStatusOfError(error) === 4);
  const big = Buffer.alloc(4 * 1024 * 1024, 3);
  assert.ok((await client.unary(of('unary'), big)).equals(big));
  return 106;
}

/** grpcio is C-core: another implementation of HTTP/2 and gRPC than any of Node's. */
export const check: Check = {
  what: 'Python grpcio, client and server, through an h2c listener; our own client and mesh.grpc against it',
  async run(scope) {
    const python = await pythonWith('grpc', 'grpcio==1.76.0');
    const grpcio = await startPython(scope, python);
    const proxy = await proxyTo(scope, grpcio.address);
    let calls = await fromPython(python, grpcio.address);
    calls += await fromPython(python, proxy.address);
    const grpcJs = await startEchoServer(loadGrpcJs(), scope);
    calls += await fromPython(python, (await proxyTo(scope, grpcJs)).address);
    calls += await fromNode(openChannel(scope, { address: grpcio.address }));
    calls += await fromNode(openChannel(scope, { address: proxy.address }));
    const mesh = await createMesh({
      clusters: [{ name: 'up', endpoints: [grpcio.address], codec: 'http2' }],
    });
    scope.teardown(() => mesh.close());
    calls += await fromNode(mesh.grpc.client('up'));
    return `grpcio ${grpcio.version}: ${calls} calls and streams of all kinds, deadlines, errors, cancels, 4 MiB`;
  },
};
