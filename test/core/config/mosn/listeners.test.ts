import test from 'ava';
import { converted, load, mosn, noticesOf, problemsOf } from './support.ts';

const listenerOf = (parts: object) => converted(mosn(parts)).listeners[0];
const tcp = (config: object) => ({ filters: [{ type: 'tcp_proxy', config }] });

test('addresses: every address for none, unix sockets, UDP by its filter', (t) => {
  t.is(listenerOf({ listener: { address: ':80' } })?.address, '0.0.0.0:80');
  t.is(listenerOf({ listener: { address: '[::1]:80' } })?.address, '[::1]:80');
  t.is(listenerOf({ listener: { address: '/run/x.sock', network: 'unix' } })?.address, 'unix:/run/x.sock');
  t.is(problemsOf(mosn({ listener: { network: 'sctp' } })).length, 1);
  const udp = { filters: [{ type: 'udp_proxy', config: { cluster: 'up' } }] };
  t.is(listenerOf({ listener: { network: 'udp' }, chain: udp })?.networkFilters[0]?.name, 'udp-proxy');
  t.true(problemsOf(mosn({ chain: udp })).length > 0);
});

test('a listener without bind_port does not listen in MOSN either', (t) => {
  const config = mosn({ listener: { bind_port: false } });
  t.deepEqual(converted(config).listeners, []);
  t.regex(noticesOf(config).join(), /left out: without bind_port/);
});

test('limits: idle connections, heads and bodies, in the old form too', (t) => {
  t.like(listenerOf({})?.limits, { idleTimeoutMs: 90_000, maxHeaderBytes: 8192, maxBodyBytes: 0 });
  const http1 = { max_header_size: 16_384, max_request_body_size: 1000 };
  for (const extend_config of [{ Http1: http1 }, http1]) {
    t.like(listenerOf({ proxy: { extend_config }, listener: { connection_idle_timeout: '60s' } })?.limits, {
      idleTimeoutMs: 60_000,
      maxHeaderBytes: 16_384,
      maxBodyBytes: 1000,
    });
  }
});

test('tcp_proxy: a cluster or routes, nanoseconds or a duration, the idle limit of the listener', (t) => {
  const configOf = (config: object, listener: object = {}) =>
    listenerOf({ chain: tcp(config), listener })?.networkFilters[0]?.config;
  t.like(configOf({ cluster: 'up', idle_timeout: 30_000_000_000, max_connect_attempts: 2 }), {
    cluster: 'up',
    idleTimeoutMs: 30_000,
    maxConnectAttempts: 2,
  });
  t.like(configOf({ cluster: 'up', idle_timeout: '5s' }), { idleTimeoutMs: 5000 });
  t.like(configOf({ cluster: 'up' }, { connection_idle_timeout: '7s' }), { idleTimeoutMs: 7000 });
  const route = {
    Cluster: 'up',
    SourceAddrs: [{ Address: '10.0.0.0', Length: 8 }],
    DestinationPort: '1-100, 8080',
  };
  t.like(configOf({ routes: [route] }), {
    routes: [{ cluster: 'up', match: { sources: ['10.0.0.0/8'], destinationPorts: ['1-100', '8080'] } }],
  });
  t.is(problemsOf(mosn({ chain: tcp({ cluster: 'nobody' }) })).length, 1);
  t.is(problemsOf(mosn({ chain: tcp({ cluster: 'up', idle_timeout: true }) })).length, 1);
});

test('what stands behind proxy is reached only where it hands on', (t) => {
  const filters = (fallback_for_unknown_protocol: boolean) => ({
    filters: [
      {
        type: 'proxy',
        config: { downstream_protocol: 'Http1', router_config_name: 'main', fallback_for_unknown_protocol },
      },
      { type: 'tcp_proxy', config: { cluster: 'up' } },
    ],
  });
  const handing = listenerOf({ chain: filters(true) });
  t.is(handing?.codec.name, 'detect');
  t.is(handing?.networkFilters[0]?.name, 'tcp-proxy');
  t.is(listenerOf({ chain: filters(false) })?.networkFilters.length, 0);
  t.regex(noticesOf(mosn({ chain: filters(false) })).join(), /hands nothing on/);
});

test('one filter chain, one server, routers that exist once', (t) => {
  t.true(problemsOf(mosn({ listener: { filter_chains: [] } })).length > 0);
  t.true(problemsOf(mosn({ listener: { filter_chains: [{}, {}] } })).length > 0);
  t.true(problemsOf(mosn({ root: { servers: [{}, {}] } })).length > 0);
  t.true(problemsOf(mosn({ root: { servers: [] } })).length > 0);
  const [problem] = load(mosn({ proxy: { router_config_name: 'mian' } })).problems;
  t.is(problem?.nearest, 'main');
});

test('connection_manager carries its router as it did in older files', (t) => {
  const hosts = [
    { name: 'all', domains: ['*'], routers: [{ match: { prefix: '/' }, route: { cluster_name: 'up' } }] },
  ];
  const filters = [
    { type: 'proxy', config: { downstream_protocol: 'X', extend_config: { sub_protocol: 'bolt' } } },
    { type: 'connection_manager', config: { virtual_hosts: hosts } },
  ];
  const made = listenerOf({ chain: { filters }, server: { routers: [] } });
  t.is(made?.codec.name, 'bolt');
  t.is(made?.virtualHosts.length, 1);
});

test('access logs, tracing, admin and log level', (t) => {
  const access_logs = [{}, { log_path: '/var/log/a.log', log_format: '%response_code%' }];
  const made = converted(
    mosn({ listener: { access_logs }, root: { tracing: { enable: true, driver: 'SkyWalking' } } }),
  );
  t.deepEqual(
    made.listeners[0]?.accessLog.map(({ path, format }) => [path, format]),
    [
      ['stdout', 'mosn'],
      ['/var/log/a.log', '%response_code%'],
    ],
  );
  t.true(made.listeners[0]?.tracing.enabled);
  t.false(listenerOf({})?.tracing.enabled);
  const unknown = mosn({ listener: { access_logs: [{ log_format: '%response_code% %nothing%' }] } });
  t.is(problemsOf(unknown).length, 1);
  t.is(converted(unknown, { lenient: true }).listeners[0]?.accessLog[0]?.format, '%response_code% -');
  const admin = (address: string) => ({
    root: { admin: { address: { socket_address: { address, port_value: 34901 } } } },
  });
  t.is(converted(mosn(admin('127.0.0.1'))).admin?.address, '127.0.0.1:34901');
  t.is(converted(mosn(admin('0.0.0.0'))).admin?.address, '127.0.0.1:34901');
  t.regex(noticesOf(mosn(admin('0.0.0.0'))).join(), /without a token/);
  t.is(converted(mosn({ server: { default_log_level: 'TRACE' } })).log.level, 'debug');
});

test('a virtual host without routes answers 404, stream filters without streams do nothing', (t) => {
  const empty = listenerOf({ host: { routers: [] } });
  t.like(empty?.virtualHosts[0]?.routes[0]?.directResponse, { status: 404 });
  const stream_filters = [{ type: 'payload_limit', config: { max_entity_size: 1 } }];
  const config = mosn({ chain: tcp({ cluster: 'up' }), listener: { stream_filters } });
  t.deepEqual(converted(config).listeners[0]?.filters, []);
  t.regex(noticesOf(config).join(), /stream_filters: no effect/);
});
