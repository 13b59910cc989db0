import test from 'ava';
import { checkConfig } from '../../../src/core/config/check.ts';
import { fakeExtensions } from './support.ts';

const hosts = ['127.0.0.1:1', { address: '127.0.0.1:2', metadata: { stage: 'prod' } }];
const mesh = (cluster: object, more: object = {}) => ({
  clusters: [{ name: 'users', endpoints: hosts, ...cluster }],
  ...more,
});

/** "key within the cluster: what is allowed" of each problem. */
const problemsOf = (input: unknown): string[] =>
  checkConfig(input, fakeExtensions()).problems.map(
    ({ path, allowed }) => `${path.replace('clusters[0].', '')}: ${allowed}`,
  );

const refused: [title: string, cluster: object, problems: string[]][] = [
  [
    'two selectors with the same keys',
    { subsets: { selectors: [{ keys: ['a', 'b'] }, { keys: ['b', 'a'], fallback: 'anyEndpoint' }] } },
    [
      'subsets.selectors[1].keys: keys that clusters[0].subsets.selectors[0] does not have already, in any order',
    ],
  ],
  [
    'a key twice in one selector',
    { subsets: { selectors: [{ keys: ['a', 'a'] }] } },
    ['subsets.selectors[0].keys[1]: each metadata key once'],
  ],
  [
    'a selector without keys',
    { subsets: { selectors: [{ keys: [] }] } },
    ['subsets.selectors[0].keys: at least one metadata key'],
  ],
  [
    'no selector and nothing to fall back to',
    { subsets: {} },
    ['subsets.selectors: at least one selector, or the fallback "default"'],
  ],
  [
    'a default that nobody says what it is',
    { subsets: { selectors: [{ keys: ['a'], fallback: 'default' }] } },
    ['subsets.default: metadata of the hosts that clusters[0].subsets.selectors[0].fallback means'],
  ],
  [
    'a default that nothing falls back to',
    { subsets: { selectors: [{ keys: ['a'] }], default: { stage: 'prod' } } },
    ['subsets.default: nothing, as no fallback is "default"'],
  ],
  [
    'a default that no endpoint has',
    { subsets: { selectors: [{ keys: ['a'] }], fallback: 'default', default: { stage: 'test' } } },
    ['subsets.default: metadata that at least one of the endpoints has'],
  ],
  [
    'fewer keys that are not fewer',
    {
      subsets: {
        selectors: [{ keys: ['a'], fallback: 'keysSubset', fallbackKeys: ['a'] }, { keys: ['b'] }],
      },
    },
    ['subsets.selectors[0].fallbackKeys: some of the keys of this selector, not all: a'],
  ],
  [
    'fewer keys that are no selector',
    { subsets: { selectors: [{ keys: ['a', 'b'], fallback: 'keysSubset', fallbackKeys: ['b'] }] } },
    ['subsets.selectors[0].fallbackKeys: the keys of another selector; there are [a, b]'],
  ],
  [
    'fewer keys not said, and said without need',
    {
      subsets: {
        selectors: [
          { keys: ['a'], fallback: 'keysSubset' },
          { keys: ['b'], fallbackKeys: ['b'] },
        ],
      },
    },
    [
      'subsets.selectors[0].fallbackKeys: the keys that are asked for instead',
      'subsets.selectors[1].fallbackKeys: nothing, as fallback is not "keysSubset"',
    ],
  ],
  [
    'more than 30 keys',
    { subsets: { selectors: Array.from({ length: 31 }, (_, i) => ({ keys: [`k${i}`] })) } },
    ['subsets.selectors: at most 30 different metadata keys'],
  ],
  [
    'zone-aware balancing without a zone',
    { locality: { mode: 'zoneAware' } },
    ['locality.zone: the zone of this mesh, here or as node.zone'],
  ],
  [
    'keys of the other mode',
    { locality: { mode: 'weighted', callers: { a: 1 }, minHosts: 3 } },
    [
      'locality.callers: nothing, as mode weighted has no use for it',
      'locality.minHosts: nothing, as mode weighted has no use for it',
    ],
  ],
  ['a share of no size', { sharding: {} }, ['sharding: one of fraction, size, connectionsPerServer']],
  [
    'a share of two sizes',
    { sharding: { fraction: 0.5, size: 3 } },
    ['sharding.size: only one of fraction, size, connectionsPerServer; fraction is given too'],
  ],
  ['a share of nothing', { sharding: { fraction: 0 } }, ['sharding.fraction: above 0, at most 1']],
  [
    'connections a server without the number of clients',
    { sharding: { connectionsPerServer: 400 } },
    ['sharding.clients: how many meshes share the list out'],
  ],
  [
    'keys of another scheme',
    { sharding: { size: 2, clientIndex: 1, ringPoints: 3, clients: 2 } },
    [
      'sharding.clients: nothing, as connectionsPerServer is not given',
      'sharding.clientIndex: nothing, as scheme rendezvous has no use for it',
      'sharding.ringPoints: nothing, as scheme rendezvous has no use for it',
    ],
  ],
  [
    'an idle interval below the interval',
    { healthCheck: { name: 'tcp', intervalMs: 5000, noTrafficIntervalMs: 1000 } },
    ['healthCheck.noTrafficIntervalMs: at least intervalMs, 5000'],
  ],
  [
    'an unknown kind of check',
    { healthCheck: { name: 'tpc' } },
    ['healthCheck.name: the name of a health check: tcp'],
  ],
  [
    'a threshold of 0',
    { healthCheck: { name: 'tcp', healthyThreshold: 0 } },
    ['healthCheck.healthyThreshold: at least 1'],
  ],
  [
    'a panic of more than everything',
    { panicThresholdPercent: 101, overprovisioningPercent: 99 },
    ['panicThresholdPercent: at most 100', 'overprovisioningPercent: at least 100'],
  ],
];
for (const [title, cluster, problems] of refused) {
  test(`refused: ${title}`, (t) => {
    t.deepEqual(problemsOf(mesh(cluster)), problems);
  });
}

test('who the mesh is fills in what clusters leave out', (t) => {
  const { config, problems } = checkConfig(
    mesh({ sharding: { size: 1 }, locality: { mode: 'zoneAware' } }, { node: { id: 'pod-7', zone: 'a' } }),
    fakeExtensions(),
  );
  t.deepEqual(problems, []);
  t.like(config?.clusters[0], {
    sharding: { size: 1, scheme: 'rendezvous', minSize: 1, clientKey: 'pod-7', zone: 'a' },
    locality: { mode: 'zoneAware', zone: 'a', minHosts: 6 },
  });
});

test('a last good directory must be absolute', (t) => {
  t.deepEqual(problemsOf(mesh({}, { lastGood: { directory: 'lists' } })), [
    'lastGood.directory: an absolute path of a directory',
  ]);
});
