import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { MeshConfig } from '../../../src/index.ts';
import { proxyProcess } from '../../e2e/support.ts';
import { deadAddress, within } from '../../mesh/support.ts';
import { reply, unframe } from '../../transport/grpc/support.ts';
import type { Check, Scope } from '../kit/check.ts';
import { execute } from '../kit/execute.ts';
import { type Jvm, startJvm } from '../kit/java.ts';
import { callFromJava } from '../rpc/java-calls.ts';

type Routes = NonNullable<
  NonNullable<NonNullable<MeshConfig['listeners']>[number]['virtualHosts']>[number]['routes']
>;

const service = 'heddle.interop.Peer';

/** HTTP/2 for Triple's own clients, HTTP/1.1 for curl; both routed by service, version and group. */
const gateway = (up: string): MeshConfig => {
  const routes: Routes = [
    {
      match: {
        variables: [
          { name: 'service', prefix: 'heddle.interop.' },
          { name: 'serviceVersion', exact: '2.0.0' },
          { name: 'serviceGroup', exact: 'interop' },
        ],
      },
      cluster: 'up',
    },
  ];
  const virtualHosts = [{ name: 'all', domains: ['*'], routes }];
  return {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: { name: 'detect', config: { codecs: ['http2', 'http1'] } },
        filters: ['grpc-metrics'],
        virtualHosts,
      },
    ],
    clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }],
  };
};

/** Fields of a TripleRequestWrapper or TripleResponseWrapper: all are length-delimited. */
function fieldsOf(message: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  for (let at = 0; at < message.length; ) {
    const field = (message[at++] as number) >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] as number;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    fields.set(field, [...(fields.get(field) ?? []), message.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** A provider in Node: answers `echo` with its argument, serialized as it came. */
async function nodeProvider(scope: Scope): Promise<{ address: string; heads: Record<string, unknown>[] }> {
  const heads: Record<string, unknown>[] = [];
  const server = createServer();
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    heads.push(headers);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const [message] = unframe(Buffer.concat(chunks));
    const wrapper = fieldsOf(message as Buffer);
    const [serialization, argument, type] = [1, 2, 3].map((n) => wrapper.get(n)?.[0] as Buffer);
    const answer = Buffer.concat([
      field(1, serialization as Buffer),
      field(2, argument as Buffer),
      field(3, type as Buffer),
    ]);
    reply(stream, [answer]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.teardown(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, heads };
}

async function streams(client: Jvm, address: string): Promise<void> {
  assert.equal(await client.ask('server', address, 'n'), 'n0 n1 n2 n3 n4');
  const echoed = Array.from({ length: 200 }, (_, i) => `<m${i}>`).join(' ');
  assert.equal(await client.ask('both', address, 200), echoed);
}

const triple = ['-H', 'tri-service-version: 2.0.0', '-H', 'tri-service-group: interop'];

async function curl(address: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('curl', [
    '-sS',
    '-w',
    ' %{http_code} HTTP/%{http_version}',
    '-H',
    'content-type: application/json',
    ...args.slice(1),
    `http://${address}/${service}/${args[0]}`,
  ]);
  return String(stdout);
}

/** Unary calls as anybody can make them. */
async function byCurl(address: string): Promise<number> {
  assert.equal(await curl(address, 'echo', ...triple, '-d', '["grüße"]'), '"grüße" 200 HTTP/1.1');
  assert.equal(
    await curl(address, 'sum', ...triple, '--http2-prior-knowledge', '-d', '[40, 2]'),
    '42 200 HTTP/2',
  );
  const failed = await curl(address, 'runtime', ...triple, '-d', '["x"]');
  assert.match(failed, /runtime: x.* 500 HTTP\/1\.1$/);
  assert.match(await curl(address, 'nothing', ...triple, '-d', '[]'), / 404 HTTP\/1\.1$/);
  assert.match(await curl(address, 'echo', '-d', '["x"]'), /no_route\s+404 HTTP\/1\.1$/);
  return 5;
}

export const check: Check = {
  what: 'Triple: Apache Dubbo 3.3 for Java, client and server, curl and a provider in Node, through a proxy',
  async run(scope) {
    const up = await deadAddress();
    const server = await startJvm(scope, 'triple', 'TripleMain');
    await server.ask('serve', up.split(':')[1] as string);
    const client = await startJvm(scope, 'triple', 'TripleMain');
    const proxy = await proxyProcess(scope, gateway(up));
    let calls = await callFromJava(client, up, 'java');
    calls += await callFromJava(client, proxy.address, 'java behind a proxy');
    await streams(client, proxy.address);
    calls += await byCurl(proxy.address);

    const node = await nodeProvider(scope);
    const before = await proxyProcess(scope, gateway(node.address));
    const answer = await within(client.ask('call', before.address, 'echo', 'acme'), 'a call to Node');
    assert.equal(answer, 'grüße 😀');
    const head = node.heads.at(-1) ?? {};
    assert.equal(head['tri-service-version'], '2.0.0');
    assert.equal(head['tri-service-group'], 'interop');
    assert.equal(head['tenant'], 'acme');
    return `${calls + 3} calls and streams`;
  },
};
