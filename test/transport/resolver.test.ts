import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { createResolver } from '../../src/transport/index.ts';

type Records = Record<string, { type: number; ttl: number; data: Buffer }[] | 'servfail' | 'silent'>;

const a = (address: string, ttl: number) => ({
  type: 1,
  ttl,
  data: Buffer.from(address.split('.').map(Number)),
});
const aaaa = (last: number, ttl: number) => ({
  type: 28,
  ttl,
  data: Buffer.of(...new Array<number>(15).fill(0), last),
});

function nameAt(buf: Buffer, at: number): { name: string; next: number } {
  const labels: string[] = [];
  let length = buf[at] as number;
  while (length !== 0) {
    labels.push(buf.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
    length = buf[at] as number;
  }
  return { name: labels.join('.'), next: at + 1 };
}

/** A DNS server for one test: RFC 1035 §4.1, answers only. */
async function dnsServer(t: ExecutionContext, records: Records): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, next } = nameAt(query, 12);
    const type = query.readUInt16BE(next);
    const found = records[name];
    if (found === 'silent') return;
    const answers = Array.isArray(found) ? found.filter((each) => each.type === type) : [];
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(0x8180 | (found === undefined ? 3 : found === 'servfail' ? 2 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    const rest = answers.map((each) => {
      const fixed = Buffer.alloc(12);
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(each.type, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt32BE(each.ttl, 6);
      fixed.writeUInt16BE(each.data.length, 10);
      return Buffer.concat([fixed, each.data]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, next + 4), ...rest]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

test('both families are asked and the smallest TTL counts', async (t) => {
  const server = await dnsServer(t, { 'users.test': [a('10.0.0.1', 60), a('10.0.0.2', 30), aaaa(1, 45)] });
  const resolver = createResolver({ servers: [server] });
  const both = await resolver.resolve('users.test', 'auto');
  t.deepEqual(both.addresses.toSorted(), ['10.0.0.1', '10.0.0.2', '::1']);
  t.is(both.ttlSeconds, 30);
  t.deepEqual((await resolver.resolve('users.test', 'v6')).addresses, ['::1']);
});

test('one empty family is no failure, two are ENOTFOUND', async (t) => {
  const server = await dnsServer(t, { 'four.test': [a('10.0.0.1', 5)], 'empty.test': [] });
  const resolver = createResolver({ servers: [server] });
  t.deepEqual(await resolver.resolve('four.test', 'auto'), { addresses: ['10.0.0.1'], ttlSeconds: 5 });
  await t.throwsAsync(resolver.resolve('four.test', 'v6'), { code: 'ENOTFOUND' });
  await t.throwsAsync(resolver.resolve('empty.test', 'auto'), { code: 'ENOTFOUND' });
  await t.throwsAsync(resolver.resolve('unknown.test', 'auto'), { code: 'ENOTFOUND' });
});

test('a server that fails or stays silent is told apart from a name that does not exist', async (t) => {
  const server = await dnsServer(t, { 'bad.test': 'servfail', 'late.test': 'silent' });
  const resolver = createResolver({ servers: [server], timeoutMs: 100, tries: 1 });
  await t.throwsAsync(resolver.resolve('bad.test', 'auto'), { code: 'ESERVFAIL' });
  await t.throwsAsync(resolver.resolve('late.test', 'auto'), { code: 'ETIMEOUT' });
});

test('SRV records keep port, weight and priority', async (t) => {
  const target = Buffer.from('\x02n1\x04test\x00', 'latin1');
  const fixed = Buffer.from([0, 5, 0, 7, 0x1f, 0x90]);
  const server = await dnsServer(t, {
    '_api.test': [{ type: 33, ttl: 9, data: Buffer.concat([fixed, target]) }],
  });
  const { records } = await createResolver({ servers: [server] }).resolveSrv('_api.test');
  t.deepEqual(records, [{ host: 'n1.test', port: 8080, weight: 7, priority: 5 }]);
});

test('literals and localhost need no server', async (t) => {
  const resolver = createResolver({ servers: ['127.0.0.1:1'] });
  t.deepEqual((await resolver.resolve('10.1.2.3', 'auto')).addresses, ['10.1.2.3']);
  t.deepEqual((await resolver.resolve('localhost', 'v4')).addresses, ['127.0.0.1']);
  t.deepEqual((await resolver.resolve('api.localhost', 'auto')).addresses, ['127.0.0.1', '::1']);
});
