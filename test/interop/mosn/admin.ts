import assert from 'node:assert/strict';

type Json = Record<string, unknown>;

/** What the admin endpoint of one of the two says. */
export interface AdminAnswers {
  readonly texts: Readonly<Record<string, string>>;
}

const paths = [
  'version',
  'states',
  'features',
  'features?key=auto_config',
  'env?key=NOT_THERE_AT_ALL',
  'get_loglevel',
  'stats',
  'stats_glob',
  'config_dump?listener=main',
  'config_dump?cluster=a',
  'config_dump?router=main',
  'config_dump',
];

/** Reads every path of MOSN's admin API that both have. */
export async function readAdmin(address: string): Promise<AdminAnswers> {
  const texts: Record<string, string> = {};
  for (const path of paths) {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    assert.equal(response.status, 200, path);
    texts[path] = await response.text();
  }
  return { texts };
}

/** Fails where ours has another shape, or says another thing about the same configuration. */
export function compareAdmin(theirs: AdminAnswers, ours: AdminAnswers): void {
  const both = [theirs, ours];
  for (const { texts } of both) {
    assert.match(texts['version'] ?? '', /^mosn version: \S/);
    assert.match(texts['states'] ?? '', /^pid=\d+&state=6\n$/);
    assert.equal(texts['features?key=auto_config'], 'false');
    assert.match(texts['stats_glob'] ?? '', /^request_total:\d+$/m);
  }
  const json = ({ texts }: AdminAnswers, path: string): Json => JSON.parse(texts[path] ?? '') as Json;
  const pair = (path: string): [Json, Json] => [json(theirs, path), json(ours, path)];
  const [theirFeatures, ourFeatures] = pair('features');
  for (const name of Object.keys(ourFeatures)) assert.ok(name in theirFeatures, `feature ${name}`);
  const [theirEnv, ourEnv] = pair('env?key=NOT_THERE_AT_ALL');
  assert.deepEqual(sameCase(ourEnv), sameCase(theirEnv));
  for (const levels of pair('get_loglevel'))
    assert.ok(Object.values(levels).every((level) => typeof level === 'string'));
  compareStats(...pair('stats'));
  compareDump(pair('config_dump?listener=main'), ['name', 'address', 'bind_port']);
  compareDump(pair('config_dump?cluster=a'), ['name', 'type', 'lb_type', 'connect_timeout']);
  const hosts = pair('config_dump?router=main').map((router) =>
    (router['virtual_hosts'] as Json[]).map(({ name, domains }) => [name, domains]),
  );
  // Ours has no need of ":*".
  assert.deepEqual(
    hosts[1],
    JSON.parse(JSON.stringify(hosts[0]).replace('any-port.example:*', 'any-port.example')),
  );
  for (const dump of pair('config_dump')) {
    for (const key of ['mosn_config', 'listener', 'cluster', 'routers']) assert.ok(key in dump, key);
  }
}

/** Go writes a key of an empty list or leaves it out. */
const sameCase = ({ env = {}, not_found = [] }: Json): Json => ({ env, not_found });

/** Every type, namespace and key of ours is one of theirs; values are texts of numbers. */
function compareStats(theirs: Json, ours: Json): void {
  for (const stats of [theirs, ours] as Record<string, Record<string, Json>>[]) {
    for (const namespace of ['listener.main', 'proxy.global']) {
      assert.ok(
        Number(stats['downstream']?.[namespace]?.['request_total']) > 100,
        `requests of ${namespace}`,
      );
    }
    assert.ok(Number(stats['upstream']?.['cluster.a']?.['request_total']) > 10, 'requests of a cluster');
  }
  for (const [type, namespaces] of Object.entries(ours as Record<string, Record<string, Json>>)) {
    for (const [namespace, values] of Object.entries(namespaces)) {
      const known = (theirs as Record<string, Record<string, Json>>)[type]?.[namespace];
      // A cluster that was never asked has no numbers there.
      if (known === undefined) continue;
      for (const [key, value] of Object.entries(values)) {
        assert.ok(key in known, `stats ${type} ${namespace} ${key}`);
        assert.match(String(value), /^\d+$/);
      }
    }
  }
}

function compareDump([theirs, ours]: [Json, Json], keys: readonly string[]): void {
  for (const key of keys) assert.deepEqual(ours[key], theirs[key], `config_dump ${key}`);
}
