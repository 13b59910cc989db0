import test from 'ava';
import { answers, meshOf, type Named, servers, who, yaml } from './cluster-support.ts';

/** Versions 1, 1 and 2 in stages prod, test and prod. */
const cluster = ([a, b, c]: readonly Named[], subsets: string): string => `
clusters:
  - name: users
    endpoints:
      - { address: "${a?.address}", metadata: { version: "1", stage: prod } }
      - { address: "${b?.address}", metadata: { version: "1", stage: test } }
      - { address: "${c?.address}", metadata: { version: "2", stage: prod } }
    subsets: ${subsets}
inProcess:
  filters:
    - name: header-to-metadata
      config:
        request:
          - { header: x-version, onPresent: { key: version } }
          - { header: x-stage, onPresent: { key: stage } }
  virtualHosts:
    - name: all
      domains: ["*"]
      routes:
        - { match: { prefix: /, headers: [{ name: x-two }] }, cluster: users, metadataMatch: { version: "2" } }
        - match: { prefix: /, headers: [{ name: x-shares }] }
          weightedClusters: [{ cluster: users, metadataMatch: { stage: test } }]
        - { cluster: users }
`;

test('a route, a weighted share or a filter asks for a subset', async (t) => {
  const all = await servers(t, 3);
  const mesh = await meshOf(
    t,
    cluster(all, '{ selectors: [{ keys: [version] }, { keys: [stage] }, { keys: [version, stage] }] }'),
  );
  t.deepEqual(await answers(mesh, 4, { 'x-two': '1' }), { c: 4 });
  t.deepEqual(await answers(mesh, 4, { 'x-shares': '1' }), { b: 4 });
  t.deepEqual(await answers(mesh, 4, { 'x-version': '1' }), { a: 2, b: 2 });
  t.deepEqual(await answers(mesh, 4, { 'x-version': '1', 'x-stage': 'prod' }), { a: 4 });
  t.deepEqual(
    await answers(mesh, 2, { 'x-two': '1', 'x-version': '1' }),
    { a: 1, b: 1 },
    'what a filter found wins',
  );
  t.is(await who(mesh, { 'x-version': '2', 'x-stage': 'test' }), 'no_host');
  t.is(await who(mesh), 'no_host', 'no selector is asked for, and there is no fall-back');
});

test('fall-backs: any endpoint, the default subset, fewer keys, each for its selector', async (t) => {
  const all = await servers(t, 3);
  const mesh = await meshOf(
    t,
    cluster(
      all,
      `
      selectors:
        - { keys: [version], fallback: anyEndpoint }
        - { keys: [stage], fallback: noFallback }
        - { keys: [version, stage], fallback: keysSubset, fallbackKeys: [version] }
      fallback: default
      default: { stage: test }
`,
    ),
  );
  t.deepEqual(await answers(mesh, 3), { b: 3 }, 'nobody asked for a subset');
  t.deepEqual(await answers(mesh, 3, { 'x-version': '9' }), { a: 1, b: 1, c: 1 });
  t.is(await who(mesh, { 'x-stage': 'none' }), 'no_host');
  t.deepEqual(
    await answers(mesh, 3, { 'x-version': '2', 'x-stage': 'test' }),
    { c: 3 },
    'version 2 wherever it is',
  );
  t.deepEqual(
    await answers(mesh, 3, { 'x-version': '9', 'x-stage': 'test' }),
    { a: 1, b: 1, c: 1 },
    'and on from there',
  );
});

test('a reload changes the subsets, and hosts that change their metadata move', async (t) => {
  const all = await servers(t, 3);
  const mesh = await meshOf(t, cluster(all, '{ selectors: [{ keys: [version] }] }'));
  t.deepEqual(await answers(mesh, 2, { 'x-version': '2' }), { c: 2 });
  const changed = cluster(
    [all[2] as Named, all[1] as Named, all[0] as Named],
    '{ selectors: [{ keys: [version] }] }',
  );
  t.true((await mesh.reload(yaml(changed))).applied);
  t.deepEqual(await answers(mesh, 2, { 'x-version': '2' }), { a: 2 });
  t.true(
    (await mesh.reload(yaml(cluster(all, '{ selectors: [{ keys: [stage] }], fallback: noFallback }'))))
      .applied,
  );
  t.is(await who(mesh, { 'x-version': '2' }), 'no_host');
  t.deepEqual(await answers(mesh, 2, { 'x-stage': 'test' }), { b: 2 });
});
