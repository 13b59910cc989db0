import test from 'ava';
import { requireConfig } from '../../src/core/config/check.ts';
import {
  type EffectiveConfig,
  type Explanation,
  explain,
  HeddleError,
  type MeshConfig,
} from '../../src/index.ts';
import { standard } from '../../src/standard.ts';

const effective = (config: MeshConfig): EffectiveConfig => requireConfig(config, standard);

const config = effective({
  listeners: [
    {
      name: 'web',
      address: '127.0.0.1:0',
      networkFilters: [{ name: 'ip-access', config: { allow: ['127.0.0.0/8'] } }],
      filters: [{ name: 'payload-limit', config: { maxBytes: 100 } }],
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          filterConfigs: { 'payload-limit': { maxBytes: 50 } },
          routes: [
            { match: { segmentPrefix: '/moved' }, redirect: { host: 'new.example', prefix: '/here' } },
            {
              match: { segmentPrefix: '/zone' },
              cluster: 'up',
              metadataMatch: { zone: 'z2' },
              rewrite: { prefix: '/' },
            },
            {
              match: { variables: [{ name: 'sourceAddress', within: ['10.0.0.0/8'] }] },
              directResponse: { status: 418, body: 'tea' },
            },
            { match: { prefix: '/none' }, cluster: 'empty' },
          ],
        },
      ],
    },
    {
      name: 'bytes',
      address: '127.0.0.1:0',
      networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'up' } }],
    },
  ],
  clusters: [
    {
      name: 'up',
      endpoints: [
        { address: '127.0.0.1:1', metadata: { zone: 'z1' } },
        { address: '127.0.0.1:2', metadata: { zone: 'z2' } },
        { address: '127.0.0.1:3', metadata: { zone: 'z2' }, weight: 0 },
      ],
      subsets: { selectors: [{ keys: ['zone'] }] },
      healthCheck: { name: 'tcp' },
    },
    { name: 'empty' },
  ],
});

const at = async (path: string, more: { source?: string; listener?: string } = {}): Promise<Explanation> => {
  const { source, listener = 'web' } = more;
  return (await explain(config, { path, authority: 'x', source }, { listener }))[0] as Explanation;
};

test('a redirect says where to, a local answer what, and neither has hosts', async (t) => {
  const moved = await at('/moved/a?q=1');
  t.deepEqual(moved.route?.answer, { status: 301, location: '//new.example/here/a?q=1' });
  t.deepEqual(moved.route?.clusters, []);
  const tea = await at('/', { source: '10.1.2.3' });
  t.deepEqual(tea.route?.answer, { status: 418, body: 'tea' });
});

test('a subset: who is in it, who is not and why, what the upstream sees', async (t) => {
  const { route } = await at('/zone/a');
  t.deepEqual(route?.upstream, { path: '/a', authority: 'x' });
  const [cluster] = route?.clusters ?? [];
  t.like(cluster, { name: 'up', host: '127.0.0.1:2', subset: { zone: 'z2' }, failure: null });
  t.deepEqual(
    cluster?.hosts.map(({ address, why }) => [address, why]),
    [
      ['127.0.0.1:1', 'its zone is "z1", not "z2"'],
      ['127.0.0.1:2', 'the load balancer took it'],
      ['127.0.0.1:3', 'its weight is 0'],
    ],
  );
  // The most specific level counts whole.
  t.like(route?.filters[0], {
    name: 'payload-limit',
    from: 'virtualHost',
    isOn: true,
    config: { maxBytes: 50 },
  });
});

test('no host, no route, no normal form of the path, no streams at all', async (t) => {
  t.is((await at('/none')).route?.clusters[0]?.failure, 'no_host');
  const nowhere = await at('/other');
  t.is(nowhere.route, null);
  t.is(nowhere.routes?.routes.length, 4);
  t.regex((await at('/../x')).refused ?? '', /the path is refused/);
  t.regex((await at('/', { listener: 'bytes' })).refused ?? '', /tcp-proxy passes connections on/);
});

test('without a place every listener with routes is told; a listener that is not there is a bad option', async (t) => {
  const told = await explain(config, { path: '/' });
  t.deepEqual(
    told.map((each) => each.at),
    ['web'],
  );
  t.deepEqual(told[0]?.connection?.networkFilters, ['ip-access']);
  const error = await t.throwsAsync(at('/', { listener: 'wbe' }), { instanceOf: HeddleError });
  t.is(error?.code, 'ERR_OPTION_INVALID');
  const inside = await explain(config, { authority: 'up' }, { inProcess: true });
  t.is(inside[0]?.route?.clusters[0]?.name, 'up');
});

test('an explanation is plain data and changes nothing: the next one says the same', async (t) => {
  const first = await at('/zone/a');
  t.deepEqual(JSON.parse(JSON.stringify(first)), JSON.parse(JSON.stringify(await at('/zone/a'))));
});
