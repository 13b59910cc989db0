import test from 'ava';
import type { HeddleError } from '../../../src/core/base/errors.ts';
import { bytesMethod, GrpcStatus, grpcStatusOfError } from '../../../src/transport/grpc/index.ts';
import { eventually, within } from '../../mesh/support.ts';
import { openChannel } from '../../transport/grpc/support.ts';
import { loadGrpcJs, startEchoServer } from '../kit/grpc-js.ts';

const of = (name: string) => bytesMethod('test.Echo', name);
const text = (value: string): Buffer => Buffer.from(value);

test('our client calls a server of @grpc/grpc-js in all four kinds', async (t) => {
  const channel = openChannel(t, { address: await startEchoServer(loadGrpcJs(), t) });
  const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
  const answers = await within(
    Promise.all(names.map((name) => channel.unary(of('unary'), text(name)))),
    '200 calls at once',
  );
  t.deepEqual(answers.map(String), names);

  const parts = Array.from({ length: 20 }, () => Buffer.alloc(20_000));
  t.is(String(await within(channel.clientStream(of('client'), parts), 'client stream')), '400000');

  const got: string[] = [];
  for await (const message of channel.serverStream(of('server'), text('n'))) got.push(String(message));
  t.deepEqual(got, ['n0', 'n1', 'n2', 'n3', 'n4']);

  const both = channel.open(of('both'));
  const echoed = both[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    await both.send(Buffer.alloc(50_000, i));
    t.true((await within(echoed.next(), 'an echo')).value?.equals(Buffer.alloc(50_000, i)));
  }
  both.end();
  t.true((await echoed.next()).done);
});

test('metadata, errors with details, deadlines, cancel and 4 MiB against @grpc/grpc-js', async (t) => {
  const channel = openChannel(t, { address: await startEchoServer(loadGrpcJs(), t) });
  const call = channel.serverStream(of('unary'), text('a'), {
    metadata: { 'x-a': 'b', 'x-raw-bin': Buffer.from([0, 255]) },
  });
  t.is((await call.metadata).get('x-a'), 'b');
  for await (const message of call) t.is(String(message), 'a');
  const { trailers } = await call.outcome;
  t.deepEqual([...(trailers.getBinary('x-raw-bin') as Buffer)], [0, 255]);

  const error = (await t.throwsAsync(channel.unary(of('unary'), text('')))) as HeddleError;
  t.is(error.context['status'], GrpcStatus.notFound);
  t.is(error.context['message'], 'größer als nichts');
  t.deepEqual([...(error.context['details'] as Buffer)], [8, 5]);

  const late = await t.throwsAsync(
    within(channel.unary(of('unary'), text('wait'), { timeoutMs: 100 }), 'the deadline'),
  );
  t.is(grpcStatusOfError(late), GrpcStatus.deadlineExceeded);
  const unknown = await t.throwsAsync(channel.unary(of('nothing'), text('a')));
  t.is(grpcStatusOfError(unknown), GrpcStatus.unimplemented);

  const open = channel.open(of('both'));
  await open.send(text('a'));
  open.cancel();
  t.is((await open.outcome).status, GrpcStatus.cancelled);
  await eventually(() => channel.active === 0, 'no call is left');

  const big = Buffer.alloc(4 * 1024 * 1024, 9);
  t.true((await within(channel.unary(of('unary'), big), '4 MiB')).equals(big));
});
