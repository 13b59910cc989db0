import test from 'ava';
import { converted, load, mosn, noticesOf, problemsOf } from './support.ts';

const clusterOf = (cluster: object, parts: object = {}) =>
  JSON.parse(JSON.stringify(converted(mosn({ cluster, ...parts })).clusters[0])) as Record<string, never> & {
    endpoints: object[];
    loadBalancer: { name: string; config?: Record<string, unknown> };
  };

test('balancers by their names, with the settings that each has', (t) => {
  const names = {
    LB_RANDOM: 'random',
    LB_ROUNDROBIN: 'roundRobin',
    LB_WEIGHTED_ROUNDROBIN: 'weighted',
    LB_LEAST_REQUEST: 'leastRequest',
    LB_LEAST_CONNECTION: 'leastConnection',
    LB_PEAK_EWMA: 'peakEwma',
    LB_MAGLEV: 'maglev',
    LB_REQUEST_ROUNDROBIN: 'roundRobin',
  };
  for (const [lb_type, name] of Object.entries(names)) t.is(clusterOf({ lb_type }).loadBalancer.name, name);
  t.is(clusterOf({}).loadBalancer.name, 'roundRobin');
  t.like(
    clusterOf({ lb_type: 'LB_LEAST_REQUEST', lbconfig: { choice_count: 3, active_request_bias: 1.5 } })
      .loadBalancer.config,
    {
      choiceCount: 3,
      activeRequestBias: 1.5,
    },
  );
  t.regex(
    noticesOf(mosn({ cluster: { lb_type: 'LB_RANDOM', lbconfig: { choice_count: 3 } } })).join(),
    /no effect with LB_RANDOM/,
  );
  const [problem] = load(mosn({ cluster: { lb_type: 'LB_LEAST_REQEST' } })).problems;
  t.is(problem?.nearest, 'LB_LEAST_REQUEST');
});

test('slow start goes with the balancers that have it', (t) => {
  const slow_start = {
    mode: 'duration',
    slow_start_duration: '30s',
    aggression: 2,
    min_weight_percent: 0.25,
  };
  t.like(clusterOf({ lb_type: 'LB_LEAST_REQUEST', slow_start }).loadBalancer.config, {
    slowStart: { windowMs: 30_000, aggression: 2, minWeightPercent: 25 },
  });
  t.regex(noticesOf(mosn({ cluster: { lb_type: 'LB_MAGLEV', slow_start } })).join(), /slow start goes with/);
});

test('hosts: weights as MOSN takes them, metadata, names', (t) => {
  const metadata = { filter_metadata: { 'mosn.lb': { zone: 'z1' } } };
  const hosts = [
    { address: '127.0.0.1:1', weight: 500, metadata },
    { address: '127.0.0.1:2', hostname: 'two' },
  ];
  t.deepEqual(
    clusterOf({ hosts }).endpoints.map((each) => ({ ...each, zone: '', priority: 0 })),
    [
      { address: '127.0.0.1:1', weight: 128, metadata: { zone: 'z1' }, zone: '', priority: 0, hostname: '' },
      { address: '127.0.0.1:2', weight: 1, metadata: {}, zone: '', priority: 0, hostname: 'two' },
    ],
  );
});

test('limits: those of the first threshold, connections are per host, what is not set is not limited', (t) => {
  const made = clusterOf({
    circuit_breakers: [{ max_connections: 2, max_requests: 4096 }, { max_requests: 1 }],
    max_request_per_conn: 100,
    idle_timeout: '30s',
  });
  t.like(made, {
    circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 4096, maxRetries: 0 },
    pool: { maxConnectionsPerHost: 2, maxRequestsPerConnection: 100, idleTimeoutMs: 30_000 },
  });
  t.like(clusterOf({}), {
    circuitBreakers: { maxRequests: 0 },
    outlierDetection: { consecutiveErrors: 0 },
    panicThresholdPercent: 0,
  });
});

test('subsets with each fall-back', (t) => {
  const metadata = { filter_metadata: { 'mosn.lb': { zone: 'z1' } } };
  const hosts = [{ address: '127.0.0.1:1', metadata }];
  const subset = (fall_back_policy: number, more = {}) =>
    clusterOf({
      hosts,
      lb_subset_config: { fall_back_policy, subset_selectors: [['zone'], ['zone', 'version']], ...more },
    })['subsets'];
  t.like(subset(0), {
    fallback: 'noFallback',
    selectors: [{ keys: ['zone'] }, { keys: ['zone', 'version'] }],
  });
  t.like(subset(1), { fallback: 'anyEndpoint' });
  t.like(subset(2, { default_subset: { zone: 'z1' } }), { fallback: 'default', default: { zone: 'z1' } });
  const bad = { lb_subset_config: { fall_back_policy: 7, subset_selectors: [['zone']] } };
  t.is(problemsOf(mosn({ cluster: bad })).length, 1);
});

test('health checks: HTTP by its own settings, any other protocol by a connection, none without a protocol', (t) => {
  const http_check_config = {
    port: 9001,
    path: '/healthz',
    method: 'HEAD',
    domain: 'h.example',
    codes: [{ Start: 200, End: 299 }, { Start: 404 }],
  };
  const health_check = {
    protocol: 'Http1',
    timeout: '2s',
    interval: '5s',
    healthy_threshold: 2,
    check_config: { http_check_config },
  };
  t.like(clusterOf({ health_check })['healthCheck'], {
    name: 'http',
    config: {
      port: 9001,
      path: '/healthz',
      method: 'HEAD',
      host: 'h.example',
      expectedStatuses: ['200-299', '404-404'],
    },
    timeoutMs: 2000,
    intervalMs: 5000,
    noTrafficIntervalMs: 5000,
    healthyThreshold: 2,
    unhealthyThreshold: 1,
  });
  t.like(clusterOf({ health_check: { protocol: 'SofaRpc' } })['healthCheck'], {
    name: 'tcp',
    intervalMs: 15_000,
    timeoutMs: 1000,
  });
  t.is(clusterOf({ health_check: { interval: '5s' } })['healthCheck'], undefined);
});

test('STRICT_DNS becomes discovery, types that need more are refused', (t) => {
  const dns = {
    type: 'STRICT_DNS',
    hosts: [{ address: 'service.example:80' }],
    dns_refresh_rate: '5s',
    dns_lookup_family: 'V4_ONLY',
  };
  t.like(clusterOf(dns)['discovery'], {
    name: 'dns',
    config: { names: ['service.example:80'], family: 'v4', minTtlMs: 5000, maxTtlMs: 5000 },
  });
  for (const type of ['EDS', 'ORIGINAL_DST']) t.is(problemsOf(mosn({ cluster: { type } })).length, 1, type);
  t.is(load(mosn({ cluster: { type: 'SIMPEL' } })).problems[0]?.nearest, 'SIMPLE');
});

test('a cluster that several protocols go to becomes several', (t) => {
  const config = mosn() as { servers: [{ listeners: Record<string, unknown>[] }] };
  const [h1] = config.servers[0].listeners;
  const h2 = JSON.parse(
    JSON.stringify(h1).replace('Http1', 'Http2').replace('2045', '2046').replace('"in"', '"in2"'),
  ) as Record<string, unknown>;
  config.servers[0].listeners.push(h2);
  const { clusters, listeners } = converted(config);
  t.deepEqual(
    clusters.map(({ name, codec }) => [name, codec.name]),
    [
      ['up', 'http1'],
      ['up:http2', 'http2'],
    ],
  );
  t.is(listeners[1]?.virtualHosts[0]?.routes[0]?.cluster, 'up:http2');
});

test('Auto: each protocol goes on in itself', (t) => {
  const { listeners, clusters } = converted(mosn({ proxy: { downstream_protocol: 'Auto' } }));
  t.is(listeners[0]?.codec.name, 'detect');
  const routes = listeners[0]?.virtualHosts[0]?.routes ?? [];
  t.is(routes.length, clusters.length);
  t.like(routes[0]?.match.variables[0], { name: 'protocol', prefix: 'HTTP/1.' });
  const one = converted(
    mosn({
      proxy: { downstream_protocol: 'Auto' },
      route: { route: { cluster_name: 'up', upstream_protocol: 'bolt' } },
    }),
  );
  t.deepEqual(
    one.clusters.map(({ codec }) => codec.name),
    ['bolt'],
  );
});

test('folders: one object a file, problems name that file', (t) => {
  const files = {
    clusters: [
      { path: 'clusters/up.json', text: '{"name":"up","hosts":[{"address":"127.0.0.1:1"}]}' },
      { path: 'clusters/notes.txt', text: 'not read' },
    ],
    hosts: [
      {
        path: 'hosts/all.json',
        text: '{"name":"all","domains":["*"],\n"routers":[{"match":{"prefix":"/"},"route":{"cluster_name":"pu"}}]}',
      },
    ],
  };
  const config = mosn({
    root: { cluster_manager: { clusters_configs: 'clusters' } },
    router: { virtual_hosts: undefined, router_configs: 'hosts' },
  });
  const readFolder = (path: string) => files[path as 'clusters'] ?? null;
  const [problem, ...others] = load(config, { readFolder }).problems;
  t.deepEqual(others, []);
  t.like(problem, { file: 'hosts/all.json', line: 2, path: 'routers[0].route.cluster_name', nearest: 'up' });
  t.is(problemsOf(config, { readFolder: () => null }).length >= 2, true);
  t.is(problemsOf(config).length >= 2, true);
});
