import test from 'ava';
import { ipAccess } from '../../../src/core/filters/ip-access.ts';
import {
  counted,
  createFilter,
  createRig,
  onRequest,
  parseConfig,
  peer,
  route,
  streamOf,
} from './harness.ts';

const check = (config: object, address: string | null): boolean => {
  const s = streamOf();
  s.peer = address === null ? null : peer(address);
  const verdict = onRequest(createFilter(ipAccess, config, createRig()), s);
  if (verdict === 0) return true;
  if (verdict !== 3 || s.res.status !== 403) throw new Error('neither passed nor answered');
  return false;
};

const cases: readonly (readonly [config: object, address: string | null, passes: boolean])[] = [
  [{ allow: ['10.0.0.0/8'] }, '10.1.2.3', true],
  [{ allow: ['10.0.0.0/8'] }, '11.0.0.1', false],
  [{ allow: ['10.0.0.0/8'] }, '::ffff:10.1.2.3', true],
  [{ allow: ['::ffff:10.0.0.0/104'] }, '10.1.2.3', true],
  [{ allow: ['10.0.0.0/8'], deny: ['10.0.13.0/24'] }, '10.0.13.9', false],
  [{ deny: ['10.0.13.0/24'] }, '10.0.14.9', true],
  [{ deny: ['192.0.2.128/25'] }, '192.0.2.127', true],
  [{ deny: ['192.0.2.128/25'] }, '192.0.2.128', false],
  [{ deny: ['0.0.0.0/0'] }, '2001:db8::1', true],
  [{ deny: ['::/0'] }, '10.0.0.1', true],
  [{ allow: ['2001:db8::/32'] }, '2001:DB8:ffff::1', true],
  [{ allow: ['2001:db8::/32'] }, '2001:db9::1', false],
  [{ allow: ['2001:db8::/33'] }, '2001:db8:8000::1', false],
  [{ allow: ['fe80::1'] }, 'fe80::1%eth0', true],
  [{ deny: ['10.0.0.1'] }, 'not an address', false],
  [{ deny: ['10.0.0.1'] }, '010.0.0.2', false],
  [{ allow: ['10.0.0.0/8'] }, 'unix', false],
  [{ allow: ['unix'] }, 'unix', true],
  [{ deny: ['10.0.0.0/8'] }, 'unix', true],
  [{ allow: ['10.0.0.0/8'] }, null, false],
  [{ allow: ['in-process'] }, null, true],
];
for (const [config, address, passes] of cases) {
  test(`${JSON.stringify(config)} ${passes ? 'lets' : 'does not let'} ${address} pass`, (t) => {
    t.is(check(config, address), passes);
  });
}

test('what trusted proxies said decides', (t) => {
  const rig = createRig();
  const filter = createFilter(ipAccess, { deny: ['203.0.113.0/24'], status: 451 }, rig);
  const s = streamOf();
  s.setMetadata('client_address', '203.0.113.9');
  t.is(onRequest(filter, s), 3);
  t.is(s.res.status, 451);
  t.is(s.res.get('x-heddle-error'), 'ip_denied');
  t.is(onRequest(filter, streamOf()), 0);
  t.is(counted(rig, 'heddle_filter_ip_access_denied_total'), 1);
  t.is(counted(rig, 'heddle_filter_ip_access_allowed_total'), 1);
});

test('a route has its own list; decisions of one do not hold for the other', (t) => {
  const filter = createFilter(ipAccess, { allow: ['192.0.2.7'] }, createRig());
  t.is(onRequest(filter, streamOf()), 0);
  const s = streamOf();
  s.route = route({ filterConfigs: [parseConfig(ipAccess.config, { deny: ['192.0.2.7'] })] });
  t.is(onRequest(filter, s), 3);
  const off = streamOf();
  off.peer = peer('198.51.100.1');
  off.route = route({ filterConfigs: [false] });
  t.is(onRequest(filter, off), 0);
});

test('a list that names nobody, or something that is no address, is refused', (t) => {
  t.true(ipAccess.isSecurity);
  for (const bad of [
    {},
    { allow: [] },
    { allow: ['10.0.0.0/33'] },
    { deny: ['10.0.0'] },
    { deny: ['1::2::3'] },
    { allow: ['a'] },
    { alow: ['10.0.0.1'] },
  ]) {
    t.throws(() => parseConfig(ipAccess.config, bad), undefined, JSON.stringify(bad));
  }
});

test('ever new addresses are remembered up to a bound and decided alike', (t) => {
  const filter = createFilter(ipAccess, { deny: ['10.9.0.0/16'] }, createRig());
  for (let i = 0; i < 10_000; i++) {
    const s = streamOf();
    s.peer = peer(`10.${i % 10}.${i >> 8}.${i & 255}`);
    if ((onRequest(filter, s) === 3) !== (i % 10 === 9)) t.fail(s.peer.address);
  }
  t.pass();
});
