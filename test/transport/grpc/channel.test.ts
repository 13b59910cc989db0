import { constants } from 'node:http2';
import test from 'ava';
import { HeddleError } from '../../../src/core/base/errors.ts';
import {
  bytesMethod,
  type GrpcMethod,
  GrpcStatus,
  grpcStatusOfError,
} from '../../../src/transport/grpc/index.ts';
import { deadAddress, eventually, within } from '../../mesh/support.ts';
import { fakeServer, frame, openChannel, reply, unframe } from './support.ts';

const echo = bytesMethod('test.Echo', 'Echo');
const json: GrpcMethod<unknown, unknown> = {
  service: 'test.Echo',
  name: 'Json',
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(bytes.toString()),
};
const text = (value: string): Buffer => Buffer.from(value);

test('a unary call sends one framed message with the head that the protocol asks for', async (t) => {
  const server = await fakeServer(t, async (stream, _headers, body) => {
    const [message] = unframe(await body());
    reply(stream, [JSON.stringify({ got: JSON.parse(String(message)) })]);
  });
  const channel = openChannel(t, { address: server.address });
  t.deepEqual(await channel.unary(json, { a: 'ü' }, { timeoutMs: 3000 }), { got: { a: 'ü' } });
  const [head] = server.calls;
  t.is(head?.[':method'], 'POST');
  t.is(head?.[':path'], '/test.Echo/Json');
  t.is(head?.[':authority'], server.address);
  t.is(head?.['content-type'], 'application/grpc');
  t.is(head?.['te'], 'trailers');
  t.is(head?.['grpc-timeout'], '3000m');
  t.is(head?.['user-agent'], 'grpc-node-heddle');
  t.is(head?.['content-length'], undefined);
});

test('metadata goes both ways, bytes in names that end in -bin', async (t) => {
  const server = await fakeServer(t, async (stream, _headers, body) => {
    await body();
    reply(
      stream,
      ['x'],
      { 'grpc-status': '0', 'x-trail': 'end', 'x-trail-bin': 'AQI' },
      { 'x-lead': ['one', 'two'], 'x-lead-bin': 'AQ==,Ag' },
    );
  });
  const channel = openChannel(t, { address: server.address, metadata: { 'x-all': 'yes' } });
  const call = channel.serverStream(echo, text('a'), {
    metadata: { 'X-One': 'eins', 'x-many': ['a', 'b'], 'x-raw-bin': Buffer.from([0, 255, 1]) },
  });
  const metadata = await call.metadata;
  t.deepEqual(metadata.getAll('x-lead'), ['one', 'two']);
  t.deepEqual(
    metadata.getAll('x-lead-bin').map((each) => [...(each as Buffer)]),
    [[1], [2]],
  );
  t.is(metadata.get('content-type'), null, "what is the protocol's own is no metadata");
  for await (const message of call) t.is(String(message), 'x');
  const outcome = await call.outcome;
  t.is(outcome.trailers.get('x-trail'), 'end');
  t.deepEqual([...(outcome.trailers.getBinary('x-trail-bin') as Buffer)], [1, 2]);
  const [head] = server.calls;
  t.is(head?.['x-all'], 'yes');
  t.is(head?.['x-one'], 'eins');
  t.is(head?.['x-many'], 'a, b');
  t.is(head?.['x-raw-bin'], 'AP8B');
  await t.throwsAsync(channel.unary(echo, text(''), { metadata: { 'grpc-timeout': '1S' } }), {
    code: 'ERR_REQUEST_INVALID',
  });
  await t.throwsAsync(channel.unary(echo, text(''), { metadata: { 'a-bin': 'text' } }), {
    code: 'ERR_REQUEST_INVALID',
  });
});

test('a status other than OK rejects with its number, message and details', async (t) => {
  const server = await fakeServer(t, (stream, headers) => {
    if (headers['x-how'] === 'trailers') {
      reply(stream, [], {
        'grpc-status': '5',
        'grpc-message': 'gr%C3%B6%C3%9Fer als 100%',
        'grpc-status-details-bin': 'CAU',
      });
      return;
    }
    // Trailers-only: one HEADERS frame with END_STREAM.
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7', 'grpc-message': 'no' },
      { endStream: true },
    );
  });
  const channel = openChannel(t, { address: server.address });
  const late = await t.throwsAsync(channel.unary(echo, text('a'), { metadata: { 'x-how': 'trailers' } }));
  t.true(late instanceof HeddleError);
  const { code, context } = late as HeddleError;
  t.is(code, 'ERR_GRPC_STATUS');
  t.is(context['status'], GrpcStatus.notFound);
  t.is(context['statusName'], 'NOT_FOUND');
  t.is(context['message'], 'größer als 100%');
  t.deepEqual([...(context['details'] as Buffer)], [8, 5]);
  const early = await t.throwsAsync(channel.unary(echo, text('a')));
  t.is(grpcStatusOfError(early), GrpcStatus.permissionDenied);
  t.is(grpcStatusOfError(new Error('other')), GrpcStatus.unknown);
  t.is(grpcStatusOfError(null), GrpcStatus.ok);
});

test('messages of a server stream are read as they come, and a slow reader slows the server down', async (t) => {
  let written = 0;
  const big = Buffer.alloc(16_000, 1);
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const write = (): void => {
      while (written < 400) {
        written++;
        if (!stream.write(frame(big))) {
          stream.once('drain', write);
          return;
        }
      }
      stream.end();
    };
    write();
  });
  const channel = openChannel(t, { address: server.address });
  const call = channel.serverStream(echo, text('a'));
  const messages = call[Symbol.asyncIterator]();
  t.is((await messages.next()).value?.length, 16_000);
  // Until nothing moves any more: 6.4 MB are not on their way to a reader who took one message.
  await eventually(async () => {
    const before = written;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return before === written;
  }, 'the server still writes');
  t.true(written < 60, `${written} messages of 400 were written ahead of the reader`);
  let read = 1;
  for await (const _ of { [Symbol.asyncIterator]: () => messages }) read++;
  t.is(read, 400);
});

test('messages go both ways in any order, and a slow server makes send wait', async (t) => {
  const server = await fakeServer(t, (stream, headers) => {
    if (headers[':path'] === '/test.Echo/Deaf') return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    stream.on('end', () => stream.end());
  });
  const channel = openChannel(t, { address: server.address });
  const call = channel.open(json);
  const answers = call[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    await call.send({ i });
    t.deepEqual((await within(answers.next(), 'an answer')).value, { i });
  }
  call.end();
  t.true((await within(answers.next(), 'the end')).done);
  t.is((await call.outcome).status, 0);
});

test('send waits while the server does not read', async (t) => {
  let read = (): void => {};
  let received = 0;
  const server = await fakeServer(t, (stream) => {
    read = () => {
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      stream.on('end', () => reply(stream, ['done']));
    };
  });
  const channel = openChannel(t, { address: server.address });
  const call = channel.open(echo);
  let sent = 0;
  const sending = (async () => {
    for (let i = 0; i < 100; i++) {
      await call.send(Buffer.alloc(50_000));
      sent++;
    }
    call.end();
  })();
  await eventually(async () => {
    const before = sent;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return before === sent && before > 0;
  }, 'still sending');
  t.true(sent < 100);
  read();
  await within(sending, 'all sent');
  for await (const message of call) t.is(String(message), 'done');
  t.true(received >= 5_000_000);
});

test('a client stream takes any iterable; an answer that comes early ends it', async (t) => {
  const server = await fakeServer(t, async (stream, headers, body) => {
    if (headers['x-early'] === '1') reply(stream, ['early']);
    else reply(stream, [String(unframe(await body()).length)]);
  });
  const channel = openChannel(t, { address: server.address });
  const all = Array.from({ length: 10 }, (_, i) => text(String(i)));
  t.is(String(await channel.clientStream(echo, all)), '10');
  const { promise: never } = Promise.withResolvers<void>();
  const endless = (async function* () {
    yield text('a');
    await never;
  })();
  const early = channel.clientStream(echo, endless, { metadata: { 'x-early': '1' } });
  t.is(String(await within(early, 'the early answer')), 'early');
  const failing = (async function* () {
    yield text('a');
    throw new Error('no more of it');
  })();
  await t.throwsAsync(channel.clientStream(echo, failing), { message: 'no more of it' });
});

test('a deadline ends the call as DEADLINE_EXCEEDED, the server is told', async (t) => {
  let isClosed = false;
  const server = await fakeServer(t, (stream) => {
    stream.on('close', () => {
      isClosed = stream.rstCode === constants.NGHTTP2_CANCEL;
    });
  });
  const channel = openChannel(t, { address: server.address });
  const error = await t.throwsAsync(
    within(channel.unary(echo, text('a'), { timeoutMs: 50 }), 'the deadline'),
  );
  t.is(grpcStatusOfError(error), GrpcStatus.deadlineExceeded);
  await eventually(() => isClosed, 'the stream is reset with CANCEL');
  t.is(channel.active, 0);
});

test('an AbortSignal and cancel end the call as CANCELLED', async (t) => {
  const server = await fakeServer(t, () => {});
  const channel = openChannel(t, { address: server.address });
  const controller = new AbortController();
  const aborted = channel.unary(echo, text('a'), { signal: controller.signal });
  await eventually(() => server.calls.length === 1, 'the call is there');
  controller.abort(new Error('the user went away'));
  const error = (await t.throwsAsync(aborted)) as HeddleError;
  t.is(error.context['status'], GrpcStatus.cancelled);
  t.is(error.context['message'], 'the user went away');
  const before = await t.throwsAsync(channel.unary(echo, text('a'), { signal: controller.signal }));
  t.is(grpcStatusOfError(before), GrpcStatus.cancelled);
  t.is(server.calls.length, 1, 'a call whose signal had fired is never sent');
  const call = channel.open(echo);
  call.cancel();
  t.is((await call.outcome).status, GrpcStatus.cancelled);
});

test('what is no gRPC answer becomes the status that HTTP stands for', async (t) => {
  const server = await fakeServer(t, (stream, headers) => {
    const [status, type, end] = String(headers['x-how']).split(' ');
    stream.respond({ ':status': Number(status), 'content-type': type }, { endStream: end === 'end' });
    if (end !== 'end') stream.end('<html>');
  });
  const channel = openChannel(t, { address: server.address });
  const statusOf = async (how: string): Promise<number> =>
    grpcStatusOfError(
      await t.throwsAsync(within(channel.unary(echo, text('a'), { metadata: { 'x-how': how } }), how)),
    );
  t.is(await statusOf('503 text/html more'), GrpcStatus.unavailable);
  t.is(await statusOf('404 text/html end'), GrpcStatus.unimplemented);
  t.is(await statusOf('401 text/html end'), GrpcStatus.unauthenticated);
  t.is(await statusOf('403 text/plain more'), GrpcStatus.permissionDenied);
  t.is(await statusOf('200 text/html more'), GrpcStatus.unknown);
  t.is(await statusOf('200 application/grpc end'), GrpcStatus.unknown);
  t.is(await statusOf('418 text/html more'), GrpcStatus.unknown);
});

test('broken answers end as INTERNAL: no trailers, half a message, too many, none, compressed, wrong flag', async (t) => {
  const server = await fakeServer(t, (stream, headers) => {
    const how = headers['x-how'];
    if (how === 'two') return reply(stream, ['a', 'b']);
    if (how === 'none') return reply(stream, []);
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    if (how === 'half') {
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frame('abc').subarray(0, 6));
      return;
    }
    stream.respond(head);
    if (how === 'compressed') stream.write(frame('abc', 1));
    else if (how === 'flag') stream.write(frame('abc', 9));
    else stream.end(frame('abc'));
  });
  const channel = openChannel(t, { address: server.address });
  for (const how of ['two', 'none', 'half', 'compressed', 'flag', 'no trailers']) {
    const call = channel.unary(echo, text('a'), { metadata: { 'x-how': how } });
    t.is(grpcStatusOfError(await t.throwsAsync(within(call, how))), GrpcStatus.internal, how);
  }
  await eventually(() => channel.active === 0, 'no call is left');
});

test('messages above the limits end the call as RESOURCE_EXHAUSTED, whatever was announced', async (t) => {
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]));
  });
  const channel = openChannel(t, { address: server.address, maxSendBytes: 1000 });
  const received = await t.throwsAsync(within(channel.unary(echo, text('a')), 'too large'));
  t.is(grpcStatusOfError(received), GrpcStatus.resourceExhausted);
  t.regex(String(received?.message), /4294967295 bytes/);
  const sent = await t.throwsAsync(channel.unary(echo, Buffer.alloc(1001)));
  t.is(grpcStatusOfError(sent), GrpcStatus.resourceExhausted);
});

test('a message that cannot be decoded ends the call and says why', async (t) => {
  const server = await fakeServer(t, (stream) => reply(stream, ['{no json']));
  const channel = openChannel(t, { address: server.address });
  const error = await t.throwsAsync(channel.unary(json, 1));
  t.is(grpcStatusOfError(error), GrpcStatus.internal);
  t.regex(String(error?.message), /cannot be decoded/);
  t.true((error as Error).cause instanceof SyntaxError);
});

test('a call that the server refused unseen is sent once more by itself', async (t) => {
  let refused = 0;
  const server = await fakeServer(t, async (stream, headers, body) => {
    if (headers['x-how'] === 'always' || refused === 0) {
      refused++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    reply(stream, unframe(await body()));
  });
  const channel = openChannel(t, { address: server.address });
  t.is(String(await channel.unary(echo, text('again'))), 'again');
  t.is(refused, 1);
  const error = (await t.throwsAsync(
    channel.unary(echo, text('a'), { metadata: { 'x-how': 'always' } }),
  )) as HeddleError;
  t.is(error.context['status'], GrpcStatus.unavailable);
  t.is(error.context['reason'], 'upstream_refused');
  t.is(error.retry, 'yes');
  t.is(refused, 3, 'twice, not for ever');
});

test('a connection that is lost fails its calls, and the next call dials again', async (t) => {
  const server = await fakeServer(t, async (stream, headers, body) => {
    await body();
    if (headers['x-how'] !== 'hang') reply(stream, ['ok']);
  });
  const channel = openChannel(t, { address: server.address });
  const hanging = channel.unary(echo, text('a'), { metadata: { 'x-how': 'hang' } });
  await eventually(() => server.calls.length === 1, 'the call is there');
  for (const socket of server.sockets) socket.destroy();
  t.is(grpcStatusOfError(await t.throwsAsync(hanging)), GrpcStatus.unavailable);
  t.is(String(await channel.unary(echo, text('b'))), 'ok');
});

test('where nobody listens calls fail as UNAVAILABLE, at once while the back-off lasts', async (t) => {
  const channel = openChannel(t, { address: await deadAddress() });
  for (let i = 0; i < 20; i++) {
    const error = (await t.throwsAsync(within(channel.unary(echo, text('a')), 'refused'))) as HeddleError;
    t.is(error.context['status'], GrpcStatus.unavailable);
    t.is(error.context['reason'], 'connect_failure');
  }
});

test('calls beyond what the server takes at once wait for their turn on one connection', async (t) => {
  let atOnce = 0;
  let most = 0;
  const server = await fakeServer(
    t,
    async (stream, _headers, body) => {
      most = Math.max(most, ++atOnce);
      const [message] = unframe(await body());
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      reply(stream, [message as Buffer]);
    },
    { maxConcurrentStreams: 5 },
  );
  const channel = openChannel(t, { address: server.address });
  t.is(String(await channel.unary(echo, text('first'))), 'first');
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  const answers = await within(Promise.all(names.map((name) => channel.unary(echo, text(name)))), 'all');
  t.deepEqual(answers.map(String), names);
  t.true(most <= 5);
  t.is(server.sockets.size, 1);
});

test('messages of 4 MiB pass in both directions, one byte more than the limit does not', async (t) => {
  const server = await fakeServer(t, async (stream, _headers, body) => reply(stream, unframe(await body())));
  const channel = openChannel(t, { address: server.address });
  const big = Buffer.alloc(4 * 1024 * 1024, 7);
  const answer = await within(channel.unary(echo, big), '4 MiB');
  t.true(answer.equals(big));
  const error = await t.throwsAsync(within(channel.unary(echo, Buffer.alloc(big.length + 1)), 'more'));
  t.is(grpcStatusOfError(error), GrpcStatus.resourceExhausted);
});

test('a closed channel ends its calls and takes no more', async (t) => {
  const server = await fakeServer(t, () => {});
  const channel = openChannel(t, { address: server.address });
  const call = channel.unary(echo, text('a'));
  await eventually(() => server.calls.length === 1, 'the call is there');
  await within(channel.close(), 'close');
  t.is(grpcStatusOfError(await t.throwsAsync(call)), GrpcStatus.unavailable);
  await t.throwsAsync(channel.unary(echo, text('a')), { code: 'ERR_MESH_CLOSED' });
  await eventually(() => server.sockets.size === 0, 'the connection is gone');
  t.throws(() => openChannel(t, { address: 'x:1', windowBytes: 3 }), { code: 'ERR_OPTION_INVALID' });
});
