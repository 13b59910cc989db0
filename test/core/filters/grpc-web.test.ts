import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { decodeSegments } from '../../../src/core/filters/grpc-web-text.ts';
import { createMesh } from '../../../src/index.ts';
import { within } from '../../mesh/support.ts';
import { type FakeServer, fakeServer, frame, reply, unframe } from '../../transport/grpc/support.ts';

/** fetch over HTTP/1.1 -> filter -> gRPC upstream. */
async function bridge(t: ExecutionContext, server: FakeServer, filters: readonly unknown[] = ['grpc-web']) {
  const mesh = await createMesh({
    listeners: [
      {
        name: 'web',
        address: '127.0.0.1:0',
        codec: 'http1',
        filters: filters as string[],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { prefix: '/none' }, directResponse: { status: 403, body: 'not for you' } },
              { cluster: 'up' },
            ],
          },
        ],
      },
    ],
    clusters: [{ name: 'up', codec: 'http2', endpoints: [server.address] }],
  });
  t.teardown(() => mesh.close());
  const base = `http://${mesh.listeners.addresses['web']}`;
  return (
    body: Buffer | string,
    type: string,
    headers: Record<string, string> = {},
    path = '/test.Echo/Echo',
  ) =>
    within(
      fetch(base + path, {
        method: 'POST',
        headers: { 'content-type': type, 'x-grpc-web': '1', ...headers },
        body: body as string,
      }),
      'an answer',
    );
}

/** Messages, then the trailers frame as text. */
function parse(body: Buffer): { messages: string[]; trailers: string } {
  const at = body.indexOf(0x80);
  const messages = unframe(at < 0 ? body : body.subarray(0, at)).map(String);
  return { messages, trailers: at < 0 ? '' : body.toString('latin1', at + 5) };
}

const echoing = (t: ExecutionContext) =>
  fakeServer(t, async (stream, headers, body) => {
    const messages = unframe(await body());
    if (headers['x-how'] === 'fail') {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'no' },
        { endStream: true },
      );
    } else reply(stream, [...messages, ...messages], { 'grpc-status': '0', 'x-after': 'yes' });
  });

test('a binary call: messages pass, trailers are the last frame of the body', async (t) => {
  const server = await echoing(t);
  const ask = await bridge(t, server);
  const answer = await ask(frame('hello'), 'application/grpc-web+proto', { origin: 'http://app.test' });
  t.is(answer.status, 200);
  t.is(answer.headers.get('content-type'), 'application/grpc-web+proto');
  t.regex(answer.headers.get('access-control-expose-headers') ?? '', /grpc-status/);
  const { messages, trailers } = parse(Buffer.from(await answer.arrayBuffer()));
  t.deepEqual(messages, ['hello', 'hello']);
  t.is(trailers, 'grpc-status: 0\r\nx-after: yes\r\n');
  const [head] = server.calls;
  t.is(head?.['content-type'], 'application/grpc+proto');
  t.is(head?.['te'], 'trailers');
  t.is(head?.['x-grpc-web'], undefined);
});

test('a text call: base64 in segments, both ways', async (t) => {
  const server = await echoing(t);
  const ask = await bridge(t, server);
  const segments =
    frame('hello').subarray(0, 4).toString('base64') + frame('hello').subarray(4).toString('base64');
  const answer = await ask(segments, 'application/grpc-web-text');
  t.is(answer.headers.get('content-type'), 'application/grpc-web-text+proto');
  const decoded = decodeSegments(await answer.text(), true);
  const { messages, trailers } = parse(decoded?.bytes ?? Buffer.alloc(0));
  t.deepEqual(messages, ['hello', 'hello']);
  t.regex(trailers, /^grpc-status: 0\r\n/);
  t.is(server.calls[0]?.['content-type'], 'application/grpc');
  t.is(server.calls[0]?.['content-length'], '10', 'of the decoded bytes');
});

test('failures arrive as statuses: of the upstream, of the mesh, of a body that is no base64', async (t) => {
  const server = await echoing(t);
  const ask = await bridge(t, server);
  const failed = await ask(frame('a'), 'application/grpc-web', { 'x-how': 'fail' });
  t.is(failed.headers.get('grpc-status'), '5');
  t.is(failed.headers.get('grpc-message'), 'no');
  t.is(failed.headers.get('content-type'), 'application/grpc-web+proto');
  const refused = await ask(frame('a'), 'application/grpc-web', {}, '/none/x');
  t.is(refused.status, 200);
  t.is(refused.headers.get('grpc-status'), '7');
  t.is(refused.headers.get('grpc-message'), 'not for you');
  t.is(refused.headers.get('content-type'), 'application/grpc-web+proto');
  const broken = await ask('!!!!', 'application/grpc-web-text');
  t.is(broken.headers.get('grpc-status'), '13');
});

test('a deadline that ends an answer in the middle arrives as the trailers frame', async (t) => {
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frame('first'));
  });
  const ask = await bridge(t, server);
  const answer = await ask(frame('a'), 'application/grpc-web+proto', { 'grpc-timeout': '1500m' });
  const { messages, trailers } = parse(Buffer.from(await within(answer.arrayBuffer(), 'the end')));
  t.deepEqual(messages, ['first']);
  t.regex(trailers, /^grpc-status: 4\r\n/);
});

test('what is no gRPC-Web passes as it is, and so do answers that are no gRPC', async (t) => {
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 502, 'content-type': 'text/html' });
    stream.end('<html>');
  });
  const ask = await bridge(t, server);
  const plain = await ask('{}', 'application/json');
  t.is(plain.headers.get('content-type'), 'text/html');
  const foreign = await ask(Buffer.from(frame('a').toString('base64')), 'application/grpc-web-text');
  t.is(foreign.status, 502);
  t.is(await foreign.text(), '<html>');
});

test('a preflight and the answer to a foreign origin pass the cors filter in front', async (t) => {
  const server = await echoing(t);
  const cors = {
    name: 'cors',
    config: { allowOrigins: ['http://app.test'], exposeHeaders: ['grpc-status', 'x-mine'] },
  };
  const ask = await bridge(t, server, [cors, 'grpc-web']);
  const answer = await ask(frame('a'), 'application/grpc-web+proto', { origin: 'http://app.test' });
  t.is(answer.headers.get('access-control-allow-origin'), 'http://app.test');
  t.regex(
    answer.headers.get('access-control-expose-headers') ?? '',
    /grpc-status.*x-mine|x-mine.*grpc-status/s,
  );
});

test('base64 in any segments, cut anywhere, gives the bytes', (t) => {
  const segment = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(segment, { maxLength: 6 }),
      fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
      (parts, cuts) => {
        const text = parts.map((part) => Buffer.from(part).toString('base64')).join('');
        const got: Buffer[] = [];
        let rest = '';
        for (let at = 0, i = 0; at < text.length; i++) {
          const to = Math.min(text.length, at + 1 + (cuts[i % cuts.length] as number));
          const decoded = decodeSegments(rest + text.slice(at, to), to === text.length);
          if (decoded === null) return t.fail(text);
          got.push(decoded.bytes);
          rest = decoded.rest;
          at = to;
        }
        t.true(Buffer.concat(got).equals(Buffer.concat(parts)));
      },
    ),
    { numRuns: 500 },
  );
  for (const bad of ['a', 'abcde', 'ab=c', '====', 'ab\n=', 'é123'])
    t.is(decodeSegments(bad, true), null, bad);
  t.is(String(decodeSegments('aGk', true)?.bytes), 'hi', 'without its padding');
});
