import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import test from 'ava';
import fc from 'fast-check';
import { tcpProxy } from '../../../src/transport/network-filters/tcp-proxy/index.ts';
import { parseClientHello } from '../../../src/transport/network-filters/tls-hello/parse.ts';
import { FakeCluster, NetworkBench } from './bench.ts';

const limit = 16_384;

/** What OpenSSL says first. */
function hello(servername: string, ALPNProtocols?: string[]): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer) => {
      resolve(chunk);
      setImmediate(() => tls.destroy());
    },
  });
  const tls = connect({ socket, servername, ...(ALPNProtocols !== undefined && { ALPNProtocols }) });
  tls.on('error', () => {});
  return promise;
}

/** The same handshake message in records of `size` bytes. */
function inRecords(record: Buffer, size: number): Buffer {
  const message = record.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    parts.push(Buffer.from([0x16, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(parts);
}

const read = (bytes: Buffer) => parseClientHello(bytes, 0, bytes.length, limit);

test('name and protocols of a hello by OpenSSL are read, whole, with offset and without either', async (t) => {
  const full = await hello('Shop.Example.com', ['h2', 'http/1.1']);
  const expected = { serverName: 'shop.example.com', alpn: ['h2', 'http/1.1'], ticketKeyName: null };
  t.deepEqual(read(full), expected);
  t.deepEqual(
    parseClientHello(Buffer.concat([Buffer.from('xx'), full]), 2, full.length + 2, limit),
    expected,
  );
  t.deepEqual(read(await hello('')), { serverName: '', alpn: [], ticketKeyName: null });
});

test('every prefix asks for more, and records may be as small as one byte', async (t) => {
  const full = await hello('a.example', ['h2']);
  for (let end = 0; end < full.length; end++) t.is(parseClientHello(full, 0, end, limit), 'more');
  for (const size of [1, 2, 3, 100, 500]) {
    t.deepEqual(
      read(inRecords(full, size)),
      { serverName: 'a.example', alpn: ['h2'], ticketKeyName: null },
      String(size),
    );
  }
});

test('what is no hello is told at the first byte that shows it', async (t) => {
  const full = await hello('a.example');
  t.is(read(Buffer.from('G')), 'none');
  t.is(read(Buffer.from([0x16, 2])), 'none');
  t.is(read(Buffer.from([0x16, 3, 1, 0, 10, 2])), 'none');
  t.is(read(Buffer.from([0x16, 3, 1, 0, 0])), 'none');
  t.is(read(Buffer.from([0x16, 3, 1, 0x7f, 0xff])), 'none');
  t.is(parseClientHello(full, 0, full.length, 100), 'none', 'longer than the limit');
  t.is(read(Buffer.from([0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])), 'none', 'says that it has 16 MiB');
});

test('two names, a name with a zero byte, and lengths that lie are refused', async (t) => {
  const full = await hello('a.example');
  const at = full.indexOf('a.example');
  const withNul = Buffer.from(full);
  withNul[at + 1] = 0;
  t.is(read(withNul), 'none');
  for (const offset of [-2, -5, -7]) {
    const lying = Buffer.from(full);
    lying.writeUInt16BE(0x0fff, at + offset);
    t.is(read(lying), 'none', String(offset));
  }
  const extension = full.subarray(at - 9, at + 9);
  const twice = Buffer.concat([full, extension]);
  twice.writeUInt16BE(twice.length - 5, 3);
  twice.writeUIntBE(twice.length - 9, 6, 3);
  const extensions = lengthOfExtensions(full);
  twice.writeUInt16BE(full.readUInt16BE(extensions) + extension.length, extensions);
  t.is(read(twice), 'none');
});

function lengthOfExtensions(record: Buffer): number {
  let at = 5 + 4 + 34;
  at += 1 + (record[at] as number);
  at += 2 + record.readUInt16BE(at);
  return at + 1 + (record[at] as number);
}

test('changed bytes never make it throw or read past the end', async (t) => {
  const full = await hello('a.example', ['h2', 'http/1.1']);
  const change = fc.tuple(fc.nat(full.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(full.length), (changes, cut) => {
      const bytes = Buffer.from(full.subarray(0, full.length - (cut % 40)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const reading = read(bytes);
      return typeof reading === 'string' || reading.serverName.length < 254;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

function proxyOf(bench: NetworkBench, extra: object = {}) {
  for (const name of ['shop', 'any', 'h2', 'rest'])
    bench.clusters.set(name, new FakeCluster([`${name}:443`]));
  const result = tcpProxy.config['~standard'].validate({
    cluster: 'rest',
    routes: [
      { match: { serverNames: ['*.example'], alpn: ['h2'] }, cluster: 'h2' },
      { match: { serverNames: ['shop.example'] }, cluster: 'shop' },
      { match: { serverNames: ['*.example'] }, cluster: 'any' },
    ],
    ...extra,
  });
  if (result instanceof Promise || result.issues !== undefined) throw new Error('bad config');
  return tcpProxy.create(result.value, bench.context);
}

test('a TLS connection passes through to the cluster of its name, all its bytes unchanged', async (t) => {
  const cases: [string, string[] | undefined, string][] = [
    ['shop.example', undefined, 'shop:443'],
    ['a.b.example', undefined, 'any:443'],
    ['shop.example', ['h2', 'http/1.1'], 'h2:443'],
    ['example', undefined, 'rest:443'],
    ['', undefined, 'rest:443'],
  ];
  for (const [name, alpn, expected] of cases) {
    for (const split of [1, 97, 65_536]) {
      const bench = new NetworkBench();
      const bytes = inRecords(await hello(name, alpn), 200);
      const { client } = bench.accept([proxyOf(bench)], undefined, { split });
      client.send(bytes);
      await bench.settle();
      t.is(bench.dialled[0]?.address, expected, name);
      bench.dialled[0]?.link.connect();
      await bench.settle();
      t.true(bench.dialled[0]?.far.bytes.equals(bytes));
    }
  }
});

test('what is no TLS, a hello that is too long or too slow, and a client that ends go to the target without a name', async (t) => {
  const long = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x40, 0]), Buffer.alloc(2000)]);
  for (const bytes of [Buffer.from('SSH-2.0-x\r\n'), long]) {
    const bench = new NetworkBench();
    const { client } = bench.accept([proxyOf(bench, { maxHelloBytes: 512 })]);
    client.send(bytes);
    await bench.settle();
    t.is(bench.dialled[0]?.address, 'rest:443');
  }
  const slow = new NetworkBench();
  const { client } = slow.accept([proxyOf(slow, { helloTimeoutMs: 500 })]);
  client.send(Buffer.from([0x16]));
  await slow.advance(400);
  client.send(Buffer.from([3]));
  await slow.settle();
  t.is(slow.dialled.length, 0);
  await slow.advance(200);
  t.is(slow.dialled[0]?.address, 'rest:443');
});
