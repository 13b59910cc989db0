import test, { type ExecutionContext } from 'ava';
import { createMesh } from '../../src/index.ts';
import { bytesMethod } from '../../src/transport/grpc/index.ts';
import { type FakeServer, fakeServer, openChannel, reply, unframe } from '../transport/grpc/support.ts';
import { within } from './support.ts';

const service = 'com.acme.Greeter';

/** A Triple server: gRPC's framing, and JSON without it; says which of two it is. */
const tripleServer = (t: ExecutionContext, name: string): Promise<FakeServer> =>
  fakeServer(t, async (stream, headers, body) => {
    const bytes = await body();
    if (String(headers['content-type']).startsWith('application/grpc')) {
      reply(stream, [`${name} ${unframe(bytes)}`]);
      return;
    }
    if (bytes.includes('wait')) return;
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify(`${name} ${bytes}`));
  });

async function gateway(t: ExecutionContext) {
  const blue = await tripleServer(t, 'blue');
  const green = await tripleServer(t, 'green');
  const variables = (version: string, group: string) => [
    { name: 'service', exact: service } as const,
    { name: 'serviceVersion', exact: version } as const,
    { name: 'serviceGroup', exact: group } as const,
  ];
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: { name: 'detect', config: { codecs: ['http2', 'http1'] } },
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { variables: variables('1.0.0', 'blue') }, cluster: 'blue' },
              { match: { variables: variables('2.0.0', 'green') }, cluster: 'green' },
            ],
          },
        ],
      },
    ],
    clusters: [
      { name: 'blue', codec: 'http2', endpoints: [blue.address] },
      { name: 'green', codec: 'http2', endpoints: [green.address] },
    ],
  });
  t.teardown(() => mesh.close());
  return mesh.listeners.addresses['in'] as string;
}

const words = (version: string, group: string) => ({
  'tri-service-version': version,
  'tri-service-group': group,
});

test('calls in the framing of gRPC are routed by service, version and group', async (t) => {
  const channel = openChannel(t, { address: await gateway(t) });
  const hello = bytesMethod(service, 'hello');
  const call = (version: string, group: string) =>
    channel.unary(hello, Buffer.from('ann'), { metadata: words(version, group) });
  t.is(String(await call('1.0.0', 'blue')), 'blue ann');
  t.is(String(await call('2.0.0', 'green')), 'green ann');
  await t.throwsAsync(call('1.0.0', 'green'), { message: /no_route/ });
});

test('calls with JSON over HTTP/1.1, too, in the names of REST as well', async (t) => {
  const address = await gateway(t);
  const call = (headers: Record<string, string>, body = '"ann"') =>
    within(
      fetch(`http://${address}/${service}/hello`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      }),
      'an answer',
    );
  t.is(await (await call(words('1.0.0', 'blue'))).json(), 'blue "ann"');
  t.is(await (await call(words('2.0.0', 'green'))).json(), 'green "ann"');
  const rest = {
    'rest-service-version': '2.0.0',
    'rest-service-group': 'green',
    'tri-protocol-version': '1.0.0',
  };
  t.is(await (await call(rest)).json(), 'green "ann"');
  const nowhere = await call({});
  t.is(nowhere.status, 404);
  t.is(nowhere.headers.get('grpc-status'), null, 'an answer of HTTP');
  const late = await call({ ...words('1.0.0', 'blue'), 'tri-service-timeout': '80' }, '"wait"');
  t.is(late.status, 504);
});
