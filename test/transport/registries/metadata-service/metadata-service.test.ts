import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import type { RegistryContext } from '../../../../src/core/contract/registry.ts';
import type { ServiceInstance } from '../../../../src/core/contract/service-source.ts';
import { createMesh } from '../../../../src/index.ts';
import { createDialer, DrivenWheel, SystemClock } from '../../../../src/transport/index.ts';
import { MetadataServices } from '../../../../src/transport/registries/metadata-service/index.ts';
import {
  decodeMetadataV2,
  encodeMetadataRequest,
} from '../../../../src/transport/registries/metadata-service/metadata-v2.ts';
import { testContext } from '../../../core/discovery/support.ts';
import type { Teardown } from '../../../mesh/support.ts';
import { fakeServer, reply, unframe } from '../../grpc/support.ts';

function services(): MetadataServices {
  const clock = new SystemClock();
  const context: RegistryContext = { ...testContext(), clock };
  return new MetadataServices(context, createDialer(clock, new DrivenWheel(clock)));
}

function instance(port: number | string, protocol: string, version = '1.0.0'): ServiceInstance {
  return {
    application: 'shop',
    address: '127.0.0.1:20880',
    revision: 'r1',
    metadata: {
      'meta-v': version,
      'dubbo.metadata-service.url-params': JSON.stringify({ port: String(port), protocol }),
    },
  };
}

const portOf = (address: string): string => address.split(':')[1] as string;

async function serve(t: Teardown, answer: (revision: string) => unknown): Promise<string> {
  const mesh = await createMesh();
  t.teardown(() => mesh.close());
  const { address } = await mesh.serveRpc({
    protocol: 'dubbo',
    service: 'org.apache.dubbo.metadata.MetadataService',
    version: '1.0.0',
    group: 'shop',
    methods: { getMetadataInfo: (revision: unknown) => answer(String(revision)) },
    address: '127.0.0.1:0',
  });
  return portOf(address);
}

const info = (revision: string): unknown => ({
  $class: 'org.apache.dubbo.metadata.MetadataInfo',
  $: {
    app: 'shop',
    revision,
    services: {
      'g/a.B:1.0:dubbo': {
        $class: 'org.apache.dubbo.metadata.MetadataInfo$ServiceInfo',
        $: {
          name: 'a.B',
          group: 'g',
          version: '1.0',
          protocol: 'dubbo',
          port: 20880,
          path: 'a.B',
          params: { timeout: '5' },
        },
      },
    },
  },
});

test('version 1: an instance says over the dubbo protocol what it provides', async (t) => {
  const port = await serve(t, info);
  const found = await services().fetch(instance(port, 'dubbo'), 'r1');
  t.is(found.application, 'shop');
  t.is(found.revision, 'r1');
  t.deepEqual(found.services.get('g/a.B:1.0:dubbo'), {
    name: 'a.B',
    group: 'g',
    version: '1.0',
    protocol: 'dubbo',
    port: 20880,
    path: 'a.B',
    parameters: { timeout: '5' },
  });
});

test('version 1: what an instance does not know, or throws, is an error with its reason', async (t) => {
  const none = await serve(t, () => null);
  await t.throwsAsync(services().fetch(instance(none, 'dubbo'), 'r1'), {
    message: /does not know revision r1/,
  });
  const broken = await serve(t, () => {
    throw new Error('not today');
  });
  await t.throwsAsync(services().fetch(instance(broken, 'dubbo'), 'r1'), { message: /not today/ });
});

const text = (field: number, value: string): number[] => [field * 8 + 2, value.length, ...Buffer.from(value)];
const message = (field: number, body: number[]): number[] => [field * 8 + 2, body.length, ...body];
const service = [
  ...text(1, 'a.B'),
  ...text(2, 'g'),
  ...text(3, '1.0'),
  ...text(4, 'tri'),
  5 * 8,
  0xd0,
  0x86,
  0x03,
  ...text(6, 'a.B'),
  ...message(7, [...text(1, 'timeout'), ...text(2, '5')]),
];
const info2 = Buffer.from([
  ...text(1, 'shop'),
  ...text(2, 'r2'),
  ...message(3, [...text(1, 'g/a.B:1.0:tri'), ...message(2, service)]),
]);

test('version 2: over Triple, with version and group beside the call', async (t) => {
  const requests: string[] = [];
  const server = await fakeServer(t, (stream, headers, body) => {
    void body().then((whole) => {
      requests.push(`${headers[':path']} ${headers['tri-service-group']} ${headers['tri-service-version']}`);
      requests.push(unframe(whole)[0]?.toString('hex') ?? '');
      reply(stream, [info2]);
    });
  });
  const found = await services().fetch(instance(portOf(server.address), 'tri', '2.0.0'), 'r2');
  t.deepEqual(requests, [
    '/org.apache.dubbo.metadata.MetadataServiceV2/GetMetadataInfo shop 2.0.0',
    Buffer.from([0x0a, 2, ...Buffer.from('r2')]).toString('hex'),
  ]);
  t.is(found.revision, 'r2');
  t.deepEqual(found.services.get('g/a.B:1.0:tri'), {
    name: 'a.B',
    group: 'g',
    version: '1.0',
    protocol: 'tri',
    port: 50000,
    path: 'a.B',
    parameters: { timeout: '5' },
  });
});

test('an instance that is no Dubbo server, or says nothing useful, is an error with its reason', async (t) => {
  const server = createServer((socket) =>
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n').on('error', () => {}),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const fails = (given: ServiceInstance, expected: RegExp) =>
    t.throwsAsync(services().fetch(given, 'r1'), { message: expected });
  await fails(instance(port, 'dubbo'), /the answer is no Dubbo frame/);
  await fails(instance('none', 'dubbo'), /has no port for its metadata service/);
  await fails(instance(port, 'rmi'), /on protocol "rmi"/);
  await fails({ ...instance(port, 'dubbo'), metadata: {} }, /says nothing of a metadata service/);
});

test('whatever bytes come as version 2, reading them ends in metadata or in a RangeError', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(info2.length), (garbage, at) => {
      for (const bytes of [Buffer.from(garbage), Buffer.concat([info2.subarray(0, at), garbage])]) {
        try {
          decodeMetadataV2(bytes);
        } catch (thrown) {
          if (!(thrown instanceof RangeError)) throw thrown;
        }
      }
    }),
  );
  t.is(encodeMetadataRequest('x'.repeat(300)).length, 303);
});
