import test from 'ava';
import { forwardedHeaders } from '../../../src/core/filters/forwarded-headers.ts';
import { counted, createFilter, createRig, onRequest, parseConfig, peer, streamOf } from './harness.ts';

const claims = [
  'x-forwarded-for: 1.1.1.1, 198.51.100.4',
  'X-Forwarded-For: 203.0.113.9',
  'x-forwarded-proto: https',
  'x-forwarded-host: evil.example',
  'X-Forwarded-Port: 99',
  'forwarded: for=1.1.1.1',
  'x-real-ip: 1.1.1.1',
  'x-forwarder: kept',
  '',
].join('\r\n');
const requestOf = (headers: string) => streamOf(`GET / HTTP/1.1\r\nhost: users.example\r\n${headers}`);
const run = (config: object, headers = claims, address = '192.0.2.7') => {
  const rig = createRig();
  const s = requestOf(headers);
  s.peer = peer(address);
  onRequest(createFilter(forwardedHeaders, config, rig), s);
  return { s, rig, headers: { ...s.req.toObject() } };
};

test('nothing of what an untrusted peer says is passed on', (t) => {
  const { s, rig, headers } = run({});
  t.deepEqual(headers, {
    host: 'users.example',
    'x-forwarder': 'kept',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-proto': 'http',
  });
  t.is(s.metadata.size, 0);
  t.is(counted(rig, 'heddle_filter_forwarded_headers_stripped_total'), 1);
});

test('a request without such headers gets them and counts nothing stripped', (t) => {
  const { rig, headers } = run({ proto: 'https', host: true }, '', '2001:db8::7');
  t.is(headers['x-forwarded-for'], '2001:db8::7');
  t.is(headers['x-forwarded-proto'], 'https');
  t.is(headers['x-forwarded-host'], 'users.example');
  t.is(counted(rig, 'heddle_filter_forwarded_headers_stripped_total'), 0);
  t.is(counted(rig, 'heddle_filter_forwarded_headers_written_total'), 1);
});

test('with trusted hops so many addresses are believed, what stands left of them is cut off', (t) => {
  const one = run({ trustedHops: 1, host: true });
  t.is(one.headers['x-forwarded-for'], '203.0.113.9, 192.0.2.7');
  t.is(one.s.metadata.get('client_address'), '203.0.113.9');
  t.is(one.headers['x-forwarded-proto'], 'https');
  t.is(one.headers['x-forwarded-host'], 'evil.example');
  const two = run({ trustedHops: 2 });
  t.is(two.headers['x-forwarded-for'], '198.51.100.4, 203.0.113.9, 192.0.2.7');
  t.is(two.s.metadata.get('client_address'), '198.51.100.4');
  const five = run({ trustedHops: 5 });
  t.is(five.s.metadata.get('client_address'), '1.1.1.1');
});

test('trusted hops count for trusted peers only', (t) => {
  const config = { trustedHops: 1, trustedPeers: ['10.0.0.0/8', 'unix'] };
  t.is(run(config).headers['x-forwarded-for'], '192.0.2.7');
  t.is(run(config, claims, '10.1.2.3').s.metadata.get('client_address'), '203.0.113.9');
  t.is(run(config, claims, '::ffff:10.1.2.3').s.metadata.get('client_address'), '203.0.113.9');
  t.is(run(config, claims, 'unix').headers['x-forwarded-for'], '203.0.113.9, unknown');
});

test('an address that is none makes the whole chain worthless; ports are left out', (t) => {
  t.is(
    run({ trustedHops: 1 }, 'x-forwarded-for: 1.1.1.1, unknown\r\n').headers['x-forwarded-for'],
    '192.0.2.7',
  );
  t.is(
    run({ trustedHops: 1 }, 'x-forwarded-for: 203.0.113.9:4711\r\n').s.metadata.get('client_address'),
    '203.0.113.9',
  );
  t.is(
    run({ trustedHops: 1 }, 'x-forwarded-for: [2001:db8::1]:4711\r\n').s.metadata.get('client_address'),
    '2001:db8::1',
  );
  t.is(run({ trustedHops: 1 }, 'x-forwarded-proto: gopher\r\n').headers['x-forwarded-proto'], 'http');
});

test('forwarded of RFC 7239 is written when asked for', (t) => {
  t.is(
    run({ forwarded: true }, '', '2001:db8::7').headers['forwarded'],
    'for="[2001:db8::7]";host="users.example";proto=http',
  );
});

test('a call of the application itself is left alone', (t) => {
  const s = requestOf(claims);
  s.peer = null;
  const before = s.req.toObject();
  onRequest(createFilter(forwardedHeaders, {}, createRig()), s);
  t.deepEqual(s.req.toObject(), before);
});

test('peers are remembered up to a bound', (t) => {
  const filter = createFilter(forwardedHeaders, {}, createRig());
  for (let i = 0; i < 10_000; i++) {
    const s = requestOf('');
    s.peer = peer(`10.0.${i >> 8}.${i & 255}`);
    onRequest(filter, s);
    if (i % 1000 === 0) t.is(s.req.get('x-forwarded-for'), s.peer.address);
  }
  t.throws(() => parseConfig(forwardedHeaders.config, { trustedPeers: ['10.0.0.0/33'] }));
});
