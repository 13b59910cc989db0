import test from 'ava';
import { converted, mosn, noticesOf, problemsOf } from './support.ts';

const filter = (type: string, config?: object) =>
  mosn({ listener: { stream_filters: [{ type, ...(config === undefined ? {} : { config }) }] } });
const configOf = (type: string, config?: object): unknown =>
  JSON.parse(JSON.stringify(converted(filter(type, config)).listeners[0]?.filters[0] ?? null));

test('fault, payload limit and header to metadata become ours', (t) => {
  t.like(
    configOf('fault', {
      delay: { percentage: 5, fixed_delay: '50ms' },
      abort: { status: 503, percentage: 1 },
      upstream_cluster: 'up',
      headers: [{ name: 'x', value: '1' }],
    }),
    {
      name: 'fault',
      config: { delay: { fixedMs: 50, percent: 5 }, abort: { status: 503, percent: 1 }, cluster: 'up' },
    },
  );
  t.like(
    configOf('header_to_metadata', {
      request_rules: [{ header: 'x', on_header_present: { key: 'k' }, remove: true }],
    }),
    {
      config: { request: [{ header: 'x', onPresent: { key: 'k' }, remove: true }] },
    },
  );
});

test('payload_limit limits with the documented key too', (t) => {
  t.like(configOf('payload_limit', { max_entity_size: 10, http_status: 413 }), {
    name: 'payload-limit',
    config: { maxBytes: 10, status: 413 },
  });
  t.like(configOf('payload_limit', { 'max_entity_size ': 20 }), { config: { maxBytes: 20 } });
  t.regex(noticesOf(filter('payload_limit', { max_entity_size: 10 })).join(), /limits here/);
});

test('ip_access: lists in order as far as ours can say the same, else it is refused', (t) => {
  const lists = (default_action: string, ...ips: [string, string][]) => ({
    default_action,
    ips: ips.map(([action, addrs]) => ({ action, addrs: [addrs] })),
  });
  t.like(configOf('ip_access', lists('deny', ['deny', '10.1.0.0/16'], ['allow', '10.0.0.0/8'])), {
    name: 'ip-access',
    config: { allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] },
  });
  t.like(configOf('ip_access', lists('allow', ['deny', '10.0.0.0/8'])), { config: { deny: ['10.0.0.0/8'] } });
  t.is(configOf('ip_access', lists('allow')), null);
  t.like(configOf('ip_access', lists('deny')), {
    config: { deny: ['0.0.0.0/0', '::/0', 'unix', 'in-process'] },
  });
  // 10.1.2.3 passes in MOSN and would not here.
  const exception = lists('deny', ['allow', '10.1.2.3'], ['deny', '10.1.0.0/16']);
  t.is(problemsOf(filter('ip_access', exception), { lenient: true }).length, 1);
  t.is(
    problemsOf(filter('ip_access', lists('deny', ['allow', '10.1.2.3'], ['deny', '10.2.0.0/16']))).length,
    0,
  );
});

test('what guards something is never left out', (t) => {
  const header = {
    default_action: 'deny',
    header: 'x-forwarded-for',
    ips: [{ action: 'allow', addrs: ['10.0.0.1'] }],
  };
  const guards: [string, object?][] = [
    ['ip_access', header],
    ['ip_access', { default_action: 'deny', ips: [{ action: 'allow', addrs: ['10.0.0'] }] }],
    ['ip_access', { default_action: 'denny' }],
    ['jwt_authn', {}],
    ['rbac', {}],
    ['proxywasm', {}],
    ['ip_acess', {}],
    ['something-else', {}],
  ];
  for (const [type, config] of guards) {
    for (const lenient of [false, true])
      t.true(problemsOf(filter(type, config), { lenient }).length > 0, `${type} ${lenient}`);
  }
  const plugin = mosn({
    listener: { stream_filters: [{ type: 'x', go_plugin_config: { so_path: 'x.so' } }] },
  });
  t.true(problemsOf(plugin, { lenient: true }).length > 0);
});

test('an unknown filter names the nearest one', (t) => {
  t.regex(problemsOf(filter('ip_acess', {})).join(), /ip_acess/);
});

test('harmless filters are left out with a notice, needed ones under --lenient only', (t) => {
  for (const type of ['gzip', 'dubbo_stream', 'flowControlFilter']) {
    t.is(problemsOf(filter(type, {})).length, 0, type);
    t.regex(noticesOf(filter(type, {})).join(), /left out/, type);
  }
  for (const type of ['transcoder', 'dsl', 'seata']) {
    t.is(problemsOf(filter(type, {})).length, 1, type);
    t.is(problemsOf(filter(type, {}), { lenient: true }).length, 0, type);
  }
});

test('grpc_metric is the filter grpc-metrics', (t) => {
  t.like(converted(filter('grpc_metric', {})).listeners[0]?.filters[0], { name: 'grpc-metrics' });
});

test('fault_tolerance judges the hosts of every cluster that its listener sends to', (t) => {
  const config = filter('fault_tolerance', {
    enabled: true,
    timeWindow: 5000,
    exceptionRateMultiple: 4,
    leastWindowCount: 20,
    recoverTime: 60_000,
  });
  t.like(converted(config).clusters[0]?.outlierDetection, {
    consecutiveErrors: 0,
    relativeErrorRate: { multiple: 4, requestVolume: 20 },
    intervalMs: 5000,
    baseEjectionMs: 60_000,
  });
  t.is(
    converted(filter('fault_tolerance', { enabled: false })).clusters[0]?.outlierDetection.relativeErrorRate,
    undefined,
  );
});

test('per_filter_config reaches the filter of the listener, and says so where there is none', (t) => {
  const stream_filters = [{ type: 'payload_limit', config: { max_entity_size: 100 } }];
  const per_filter_config = { payload_limit: { max_entity_size: 5 }, fault: {} };
  const config = mosn({ listener: { stream_filters }, route: { per_filter_config } });
  t.like(converted(config).listeners[0]?.virtualHosts[0]?.routes[0]?.filterConfigs['payload-limit'], {
    maxBytes: 5,
  });
  t.regex(noticesOf(config).join(), /fault: no effect: no filter of the listener reads it/);
});
