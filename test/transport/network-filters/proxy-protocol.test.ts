import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { ConnectionEnding } from '../../../src/core/contract/network-filter.ts';
import type { Peer } from '../../../src/core/contract/wire.ts';
import { crc32c } from '../../../src/transport/network-filters/proxy-protocol/crc32c.ts';
import {
  encodeLocal,
  encodeProxyHeader,
} from '../../../src/transport/network-filters/proxy-protocol/encode.ts';
import { type ProxyHeader, TlvType } from '../../../src/transport/network-filters/proxy-protocol/header.ts';
import { proxyProtocol } from '../../../src/transport/network-filters/proxy-protocol/index.ts';
import { parseProxyHeader } from '../../../src/transport/network-filters/proxy-protocol/parse.ts';
import { type Far, NetworkBench } from './bench.ts';

interface Vector {
  readonly label: string;
  readonly hex: string;
  readonly line?: string;
  readonly headerHex?: string;
  readonly tlvs?: readonly (readonly [string, string])[];
}
const { cases } = JSON.parse(readFileSync('test/golden/proxy-protocol/vectors.json', 'utf8')) as {
  cases: Vector[];
};
const parse = (bytes: Buffer) => parseProxyHeader(bytes, 0, bytes.length);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What HAProxy says in these captures, read from their own bytes. */
function read(vector: Vector): ProxyHeader {
  const reading = parse(Buffer.from(vector.hex, 'hex'));
  if (typeof reading === 'string') throw new Error(`${vector.label}: ${reading}`);
  return reading;
}

for (const vector of cases) {
  test(`${vector.label}: the captured header is read`, (t) => {
    const header = read(vector);
    const rest = Buffer.from(vector.hex, 'hex').subarray(header.sizeBytes).toString('latin1');
    t.regex(rest, /^GET \/.* HTTP\/1\.1\r\n/, 'the request begins right behind it');
    const { source, destination } = header;
    if (vector.line !== undefined) {
      const [, , from, to, fromPort, toPort] = vector.line.split(' ');
      t.deepEqual(source, { address: from as string, port: Number(fromPort) });
      t.deepEqual(destination, { address: to as string, port: Number(toPort) });
    } else {
      t.is(header.sizeBytes, Buffer.from(vector.headerHex as string, 'hex').length);
      t.is(source?.address, '127.0.0.1');
      t.true(source !== null && source.port > 30_000);
      const told = vector.tlvs ?? [];
      t.deepEqual(
        header.tlvs.map((each) => each.type),
        told.map(([type]) => Number(type)),
      );
      for (const [index, [type, text]] of told.entries()) {
        const value = header.tlvs[index]?.value;
        if (Number(type) === TlvType.crc32c) t.is(value?.toString('hex'), text);
        else t.is(value?.toString('latin1').replace(/[^ -~]/g, '.'), text);
      }
    }
  });

  test(`${vector.label}: split at every byte it asks for more, then gives the same`, (t) => {
    const bytes = Buffer.from(vector.hex, 'hex');
    const header = read(vector);
    for (let end = 0; end < header.sizeBytes; end++) t.is(parseProxyHeader(bytes, 0, end), 'more');
    t.deepEqual(parseProxyHeader(bytes, 0, header.sizeBytes), header);
    const shifted = Buffer.concat([Buffer.from('xyz'), bytes]);
    t.deepEqual(parseProxyHeader(shifted, 3, shifted.length), header);
  });
}

test('CRC-32C gives the check value of the standard', (t) => {
  t.is(crc32c(latin1('123456789')), 0xe3069283);
});

test('headers that are not exact are refused', (t) => {
  const v1 = [
    'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 01 2\r\n',
    'PROXY TCP4 127.0.0.01 127.0.0.1 1 2\r\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 1 65536\r\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 1\r\n',
    'PROXY TCP4 127.0.0.1  127.0.0.1 1 2\r\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 1 2 \r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 127.0.0.1 127.0.0.1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY UDP4 127.0.0.1 127.0.0.1 1 2\r\n',
    'PROXY tcp4 127.0.0.1 127.0.0.1 1 2\r\n',
    'PROXY \r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ];
  for (const line of v1) t.is(parse(latin1(line)), 'invalid', line);
  const v2 = (rest: string): Buffer => Buffer.from(`0d0a0d0a000d0a515549540a${rest}`, 'hex');
  const bad = [
    v2('31'),
    v2('22'),
    v2('10'),
    v2('2113'),
    v2('2141'),
    v2('2111000b7f0000017f00000189bc5a'),
    v2('2111000e7f0000017f00000189bc5a3d0100'),
    v2('211100107f0000017f00000189bc5a3d01000200'),
    // A checksum that is wrong, and one of the wrong length.
    v2('211100137f0000017f00000189bc5a3d03000400000000'),
    v2('211100117f0000017f00000189bc5a3d0300020000'),
  ];
  for (const bytes of bad) t.is(parse(bytes), 'invalid', bytes.toString('hex'));
  for (const text of ['GET / HTTP/1.1\r\n', 'PROXYTCP4 ', '\r\n\r\nGET', 'proxy '])
    t.is(parse(latin1(text)), 'none', text);
});

test('LOCAL, UNKNOWN and UNSPEC give no address; unix addresses are "unix"', (t) => {
  for (const bytes of [
    encodeLocal(1),
    encodeLocal(2),
    latin1('PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n'),
    Buffer.from('0d0a0d0a000d0a515549540a2100000401000178', 'hex'),
  ]) {
    const header = parse(bytes);
    t.is(typeof header === 'string' ? header : header.source, null);
  }
  const unix = parse(
    Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a213100d8', 'hex'), Buffer.alloc(216, 97)]),
  );
  t.deepEqual(typeof unix === 'string' ? unix : unix.source, { address: 'unix', port: 0 });
});

test('what is written is read again, both versions, both families, mixed ones mapped', (t) => {
  const pairs = [
    ['10.1.2.3', '192.168.0.1'],
    ['2001:db8::1', 'fe80::1:0:0:2'],
    ['10.1.2.3', '::1'],
  ] as const;
  for (const version of [1, 2] as const) {
    for (const [from, to] of pairs) {
      const facts = { authority: 'a.example', alpn: 'h2' };
      const bytes = encodeProxyHeader(
        version,
        { address: from, port: 1 },
        { address: to, port: 65_535 },
        facts,
      );
      const header = parse(bytes);
      if (typeof header === 'string') t.fail(`${version} ${from} ${header} ${bytes.toString('latin1')}`);
      else {
        t.is(header.sizeBytes, bytes.length);
        t.deepEqual(header.source, { address: from, port: 1 });
        t.deepEqual(header.destination, { address: to, port: 65_535 });
        const names = header.tlvs.filter((each) => each.type === TlvType.authority);
        t.is(names[0]?.value.toString(), version === 2 ? 'a.example' : undefined);
      }
    }
  }
});

test('any bytes are read without a throw, and never as more than there are', (t) => {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.concat([signature, rest])),
    fc
      .tuple(
        fc.constantFrom(0x20, 0x21),
        fc.constantFrom(0, 0x11, 0x21, 0x31),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([command, family, rest]) =>
        Buffer.concat([signature, Buffer.from([command, family, 0, rest.length & 255]), rest]),
      ),
    fc.string().map((text) => Buffer.from(`PROXY ${text}\r\n`)),
  );
  fc.assert(
    fc.property(any, (bytes) => {
      const reading = parse(Buffer.from(bytes));
      return typeof reading === 'string' || reading.sizeBytes <= bytes.length;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

function filterOf(bench: NetworkBench, config: object) {
  const result = proxyProtocol.config['~standard'].validate(config);
  if (result instanceof Promise || result.issues !== undefined) throw new Error('bad config');
  return proxyProtocol.create(result.value, bench.context);
}

/** Takes connections over and keeps who came and what was sent. */
function ending(): ConnectionEnding & {
  peers: Peer[];
  ends: Far['chunks'][];
  isEnded: boolean;
  facts: object[];
} {
  const kept = { peers: [] as Peer[], ends: [] as Buffer[][], isEnded: false, facts: [] as object[] };
  return Object.assign(kept, {
    serve: (connection: Parameters<ConnectionEnding['serve']>[0]) => {
      const chunks: Buffer[] = [];
      kept.peers.push(connection.peer);
      kept.facts.push(Object.fromEntries(connection.facts ?? []));
      kept.ends.push(chunks);
      connection.wire.attach({
        onBytes: (buf, a, b) => void chunks.push(Buffer.from(buf.subarray(a, b))),
        onDrain: () => {},
        onEnd: () => {
          kept.isEnded = true;
        },
        onClose: () => {},
      });
      return { wire: connection.wire } as never;
    },
  });
}

const trusted = { trusted: ['127.0.0.0/8'] };

test('the client of a trusted header is the peer behind it, in pieces of any size', async (t) => {
  for (const split of [1, 2, 5, 28, 29, 1000]) {
    for (const ownsReads of [true, false]) {
      const bench = new NetworkBench();
      const end = ending();
      const { client } = bench.accept([filterOf(bench, trusted)], end, { split, ownsReads });
      client.send('PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\nhello');
      client.wire.end();
      await bench.settle();
      t.is(end.peers[0]?.address, '203.0.113.9');
      t.is(end.peers[0]?.port, 5555);
      t.is(Buffer.concat(end.ends[0] ?? []).toString(), 'hello');
      t.true(end.isEnded);
      t.is(bench.value('heddle_network_proxy_protocol_read_total'), 1);
      t.is(bench.time.wheel.armed, 0);
    }
  }
});

test('TLVs are left as facts, the authority also as server name', async (t) => {
  const bench = new NetworkBench();
  const end = ending();
  for (const label of ['v2-crc-uid', 'v2-ssl-cn']) {
    const vector = cases.find((each) => each.label === label) as Vector;
    bench.accept([filterOf(bench, trusted)], end).client.send(Buffer.from(vector.hex, 'hex'));
    await bench.settle();
  }
  t.deepEqual(end.facts[0], {
    'proxy.alpn': 'http/1.1',
    'proxy.authority': 'test.local',
    'proxy.uniqueId': '7F000001:865A',
  });
  t.is(end.peers[0]?.serverName, 'test.local');
  t.is((end.facts[1] as Record<string, string>)['proxy.ssl.version'], 'TLSv1.3');
  t.is((end.facts[1] as Record<string, string>)['proxy.ssl.verified'], 'false');
});

test('without a header, with a bad one, too long a one or too slow a one, the connection is closed', async (t) => {
  const long = Buffer.from(`0d0a0d0a000d0a515549540a2111ffff${'00'.repeat(5000)}`, 'hex');
  for (const bytes of [latin1('GET / HTTP/1.1\r\n'), latin1('PROXY TCP4 x\r\n'), long]) {
    const bench = new NetworkBench();
    const end = ending();
    const { client } = bench.accept([filterOf(bench, trusted)], end);
    client.send(bytes);
    await bench.settle();
    t.is(end.peers.length, 0);
    t.true(client.isEnded);
    t.is(bench.left.length, 1);
    t.is(bench.value('heddle_network_proxy_protocol_invalid_total'), 1);
  }
  const bench = new NetworkBench();
  const { client } = bench.accept([filterOf(bench, { ...trusted, timeoutMs: 1000 })], ending());
  for (const piece of 'PROXY TCP4') {
    client.send(piece);
    await bench.advance(90);
    t.false(client.isEnded);
  }
  await bench.advance(150);
  t.true(client.isEnded, 'the time counts from the beginning, not from the last byte');
});

test('others are refused, or pass unread; a header may be made optional', async (t) => {
  const strangers = new NetworkBench();
  const refused = strangers.accept([filterOf(strangers, { trusted: ['10.0.0.0/8'] })], ending());
  refused.client.send('PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\nhello');
  await strangers.settle();
  t.true(refused.client.isEnded);
  t.is(strangers.value('heddle_network_proxy_protocol_untrusted_total'), 1);

  const passing = new NetworkBench();
  const end = ending();
  const spoof = 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\nhello';
  passing.accept([filterOf(passing, { trusted: ['10.0.0.0/8'], others: 'pass' })], end).client.send(spoof);
  await passing.settle();
  t.is(end.peers[0]?.address, '127.0.0.1', 'nobody else is believed');
  t.is(Buffer.concat(end.ends[0] ?? []).toString(), spoof);

  const optional = new NetworkBench();
  const plain = ending();
  optional.accept([filterOf(optional, { ...trusted, optional: true })], plain).client.send('GET /');
  await optional.settle();
  t.is(plain.peers[0]?.address, '127.0.0.1');
  t.is(Buffer.concat(plain.ends[0] ?? []).toString(), 'GET /');
});
