import type { ServerHttp2Stream } from 'node:http2';
import test from 'ava';
import { fakeHost } from '../../../src/testing/index.ts';
import { grpcCheck } from '../../../src/transport/health/grpc-check.ts';
import { deadAddress, eventually } from '../../mesh/support.ts';
import { fakeServer, reply, unframe } from '../grpc/support.ts';
import { ask, prober } from './support.ts';

const cases: readonly (readonly [string, (stream: ServerHttp2Stream) => void, string])[] = [
  ['SERVING', (stream) => reply(stream, [Buffer.from([8, 1])]), 'pass'],
  ['NOT_SERVING', (stream) => reply(stream, [Buffer.from([8, 2])]), 'failNow not_serving'],
  ['SERVICE_UNKNOWN', (stream) => reply(stream, [Buffer.from([8, 3])]), 'fail service_unknown'],
  ['UNKNOWN, which proto3 does not write', (stream) => reply(stream, [Buffer.alloc(0)]), 'fail unknown'],
  ['no message', (stream) => reply(stream, []), 'fail no_health_answer'],
  ['another message', (stream) => reply(stream, ['hello']), 'fail no_health_answer'],
  ['UNIMPLEMENTED', (stream) => reply(stream, [], { 'grpc-status': '12' }), 'fail grpc_unimplemented'],
  ['no gRPC', (stream) => stream.respond({ ':status': 503 }, { endStream: true }), 'fail upstream_protocol'],
];
for (const [title, answer, result] of cases) {
  test(`answer: ${title}`, async (t) => {
    const { address } = await fakeServer(t, answer);
    t.is(await ask(prober(t, grpcCheck, {})(address)), result);
  });
}

test('the service, the authority and the port are those of the configuration', async (t) => {
  const asked: string[] = [];
  const server = await fakeServer(t, async (stream, headers, body) => {
    const [message] = unframe(await body());
    asked.push(`${headers[':path']} ${headers[':authority']} ${(message as Buffer).toString('hex')}`);
    reply(stream, [Buffer.from([8, 1])]);
  });
  const port = Number(server.address.split(':')[1]);
  const probe = prober(t, grpcCheck, { service: 'a.B', authority: 'health.test', port });
  t.is(await ask(probe('127.0.0.1:9')), 'pass');
  const long = prober(t, grpcCheck, { service: 'x'.repeat(300) });
  t.is(await ask(long({ ...fakeHost(server.address), hostname: 'h.test' })), 'pass');
  t.is(asked[0], '/grpc.health.v1.Health/Check health.test 0a03612e42');
  t.true(asked[1]?.startsWith('/grpc.health.v1.Health/Check h.test 0aac027878'));
});

test('a kept connection serves the next check; without keeping each has its own', async (t) => {
  const server = await fakeServer(t, (stream) => reply(stream, [Buffer.from([8, 1])]));
  const kept = prober(t, grpcCheck, {})(server.address);
  for (let i = 0; i < 3; i++) t.is(await ask(kept), 'pass');
  t.is(server.sockets.size, 1);
  const fresh = prober(t, grpcCheck, {}, false)(server.address);
  for (let i = 0; i < 3; i++) t.is(await ask(fresh), 'pass');
  await eventually(() => server.sockets.size === 1, 'connections are closed after their check');
});

test('a host that is back is found by the next check, however often it failed', async (t) => {
  const probe = prober(t, grpcCheck, {});
  const dead = probe(await deadAddress());
  for (let i = 0; i < 5; i++) t.is(await ask(dead), 'fail connect_failure');
  let isWell = false;
  const server = await fakeServer(t, (stream) => {
    if (isWell) reply(stream, [Buffer.from([8, 1])]);
    else stream.session?.destroy();
  });
  const host = probe(server.address);
  for (let i = 0; i < 5; i++) t.regex(await ask(host), /^fail upstream_(closed|reset)/);
  isWell = true;
  t.is(await ask(host), 'pass');
});

test('a check that is given up is heard of no more', async (t) => {
  const server = await fakeServer(t, () => {});
  const probe = prober(t, grpcCheck, {})(server.address);
  probe.probe(() => t.fail());
  await eventually(() => server.calls.length === 1, 'the check is there');
  probe.cancel();
  await eventually(() => server.sockets.size === 0, 'its connection is dropped');
  probe.cancel();
  probe.close();
  t.is(server.calls.length, 1);
});
