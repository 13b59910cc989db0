import { request as http1Request } from 'node:http';
import test from 'ava';
import { gateway, proxy } from '../../../e2e/support.ts';
import { type Echoed, echo, upstream } from '../../../mesh/support.ts';
import { h2Client, h2Echo, h2Request, h2Upstream } from './node-peers.ts';

const cluster = (address: string, codec = 'http2') => ({
  clusters: [{ name: 'up', endpoints: [address], codec }],
});

test('a GET over h2c reaches an HTTP/1.1 upstream', async (t) => {
  const { address } = await upstream(t, echo);
  const { address: at } = await proxy(t, gateway(address, { codec: 'http2' }));
  const answer = await h2Request(h2Client(t, at), {
    ':path': '/a?b=c',
    'x-one': '1',
    cookie: ['a=1', 'b=2'],
  });
  t.is(answer.status, 200);
  const echoed = JSON.parse(answer.body) as Echoed;
  t.is(echoed.method, 'GET');
  t.is(echoed.url, '/a?b=c');
  t.is(echoed.headers['host'], at);
  t.is(echoed.headers['x-one'], '1');
  t.is(echoed.headers['cookie'], 'a=1; b=2');
});

test('a GET over h2c reaches an h2c upstream', async (t) => {
  const { address } = await h2Upstream(t, h2Echo);
  const { address: at } = await proxy(t, { ...gateway(address, { codec: 'http2' }), ...cluster(address) });
  const session = h2Client(t, at);
  for (let i = 0; i < 5; i++) {
    const answer = await h2Request(session, { ':path': `/a?b=${i % 2}`, 'x-one': '1' });
    t.is(answer.status, 200);
    const { headers } = JSON.parse(answer.body);
    t.is(headers[':path'], `/a?b=${i % 2}`);
    t.is(headers[':authority'], at);
    t.is(headers['x-one'], '1');
    t.deepEqual({ ...answer.trailers }['x-sum'], 'none');
  }
});

test('HTTP/1.1 in front of h2c: chunked body and trailers both ways', async (t) => {
  const { address } = await h2Upstream(t, h2Echo);
  const { address: at } = await proxy(t, { ...gateway(address), ...cluster(address) });
  const [host, port] = at.split(':');
  const { promise, resolve, reject } = Promise.withResolvers<{
    body: string;
    trailers: unknown;
    status: number;
  }>();
  const request = http1Request(
    {
      host,
      port,
      method: 'POST',
      path: '/up',
      headers: { trailer: 'x-sum', 'transfer-encoding': 'chunked' },
    },
    (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ body, trailers: response.trailers, status: response.statusCode ?? 0 }),
      );
    },
  );
  request.on('error', reject);
  request.write('one ');
  request.addTrailers({ 'x-sum': '7' });
  request.end('two');
  const answer = await promise;
  t.is(answer.status, 200);
  t.is(JSON.parse(answer.body).body, 'one two');
  t.deepEqual(answer.trailers, { 'x-sum': '7' });
});

test('bodies with trailers over h2c to h2c, and many streams at once', async (t) => {
  const { address } = await h2Upstream(t, h2Echo);
  const { address: at } = await proxy(t, { ...gateway(address, { codec: 'http2' }), ...cluster(address) });
  const session = h2Client(t, at);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => {
      const body = 'x'.repeat(i * 2000);
      return h2Request(session, { ':method': 'POST', ':path': '/b' }, body, { 'x-sum': String(i) });
    }),
  );
  answers.forEach((answer, i) => {
    t.is(JSON.parse(answer.body).body.length, i * 2000);
    t.is(answer.trailers?.['x-sum'], String(i));
  });
});

test('one port serves HTTP/1.1 and h2c by prior knowledge', async (t) => {
  const { address } = await upstream(t, echo);
  const codec = { name: 'detect', config: { codecs: ['http1', 'http2'] } };
  const { address: at } = await proxy(t, gateway(address, { codec }));
  t.is((await h2Request(h2Client(t, at), { ':path': '/two' })).status, 200);
  t.is(((await (await fetch(`http://${at}/one`)).json()) as Echoed).url, '/one');
});
