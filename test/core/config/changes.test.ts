import test from 'ava';
import { changesBetween } from '../../../src/core/config/changes.ts';
import { requireConfig } from '../../../src/core/config/check.ts';
import { diffConfig } from '../../../src/core/config/diff.ts';
import type { ListenerInput, MeshConfig } from '../../../src/core/config/input.ts';
import { planReload } from '../../../src/core/config/reload-plan.ts';
import type { EffectiveConfig } from '../../../src/core/contract/config.ts';
import { standard } from '../../../src/standard.ts';

const routes = ['/a', '/b', '/c'].map((prefix) => ({ match: { prefix }, cluster: 'up' }));
const listener: ListenerInput = {
  name: 'in',
  address: '127.0.0.1:1',
  filters: ['request-id', { name: 'cors', config: { allowOrigins: ['https://a.example'] } }],
  virtualHosts: [{ name: 'all', domains: ['*'], routes }],
};
const up = { name: 'up', endpoints: ['127.0.0.1:9001', '127.0.0.1:9002'] };
const base: MeshConfig = {
  listeners: [listener],
  clusters: [up],
  admin: { address: '127.0.0.1:2', token: 'one' },
};

const effective = (parts: MeshConfig = {}): EffectiveConfig => requireConfig({ ...base, ...parts }, standard);
const changes = (parts: MeshConfig) => changesBetween(effective(), effective(parts));

test('nothing differs: no change, no step', (t) => {
  t.deepEqual(changesBetween(effective(), effective()), []);
  t.deepEqual(planReload(effective(), effective()), []);
});

test('things with a name are told by it, wherever they stand in their list', (t) => {
  const other = { name: 'other', endpoints: ['127.0.0.1:9003'] };
  t.deepEqual(
    changesBetween(
      effective({ clusters: [up, other] }),
      effective({ clusters: [other, { ...up, connectTimeoutMs: 1 }] }),
    ),
    [
      { path: 'clusters.up.connectTimeoutMs', kind: 'changed', before: 5000, after: 1 },
      { path: 'clusters (order)', kind: 'changed', before: ['up', 'other'], after: ['other', 'up'] },
    ],
  );
  t.like(changes({ clusters: [up, other] }), [{ path: 'clusters.other', kind: 'added' }]);
  t.like(changesBetween(effective({ clusters: [up, other] }), effective()), [
    { path: 'clusters.other', kind: 'removed' },
  ]);
});

test('a route more in the middle is one change, not one for each behind it', (t) => {
  const more = [routes[0], { match: { prefix: '/new' }, cluster: 'up' }, ...routes.slice(1)] as typeof routes;
  const virtualHosts = [{ name: 'all', domains: ['*'], routes: more }];
  const told = changes({ listeners: [{ ...listener, virtualHosts }] });
  t.is(told.length, 1);
  t.like(told[0], { path: 'listeners.in.virtualHosts.all.routes[1]', kind: 'added' });
});

test('a secret that changed is told, what it is is not', (t) => {
  const told = changes({ admin: { address: '127.0.0.1:2', token: 'two' } });
  t.is(told.length, 1);
  t.like(told[0], { path: 'admin.token', kind: 'changed' });
  t.notRegex(JSON.stringify(told), /one|two/);
});

test('changes are told exactly where the diff says that something differs', (t) => {
  const variants: MeshConfig[] = [
    {},
    { clusters: [{ ...up, loadBalancer: 'random' }] },
    { log: { level: 'warn' } },
    { listeners: [{ ...listener, filters: [...(listener.filters ?? [])].reverse() }] },
    { inProcess: { serverHeader: 'x' } },
    { admin: undefined },
    { buffers: { limitBytes: 1 } },
  ];
  for (const before of variants) {
    for (const after of variants) {
      const [a, b] = [effective(before), effective(after)];
      const { isEqual } = diffConfig(a, b);
      t.is(changesBetween(a, b).length === 0, isEqual);
      t.is(planReload(a, b).length === 0, isEqual);
    }
  }
});

test('the plan says what stays: sockets, filters in their place, connections', (t) => {
  const plan = (parts: MeshConfig) => planReload(effective(), effective(parts))[0];
  const cors = { name: 'cors', config: { allowOrigins: ['https://b.example'] } };
  const filters = plan({ listeners: [{ ...listener, filters: ['request-id', cors] }] });
  t.regex(filters?.keeps.join() ?? '', /the socket and its connections.*request-id/);
  t.regex(filters?.replaces.join() ?? '', /cors/);
  t.regex(
    plan({ listeners: [{ ...listener, address: '127.0.0.1:3' }] })?.replaces.join() ?? '',
    /another address/,
  );
  t.regex(
    plan({ clusters: [{ ...up, loadBalancer: 'random' }] })?.keeps.join() ?? '',
    /connections to hosts that stay/,
  );
  t.regex(plan({ clusters: [{ ...up, pool: { idleTimeoutMs: 1 } }] })?.replaces.join() ?? '', /connections/);
  t.regex(
    plan({ clusters: [{ ...up, endpoints: ['127.0.0.1:9001', '127.0.0.1:9'] }] })?.replaces.join() ?? '',
    /1 more, 1 less/,
  );
});
