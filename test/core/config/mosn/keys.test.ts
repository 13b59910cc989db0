import test from 'ava';
import { converted, load, mosn, noticesOf, problemsOf } from './support.ts';

test('a MOSN file is told by its keys, whatever their case, and --format decides when it must', (t) => {
  t.is(load(mosn()).dialect, 'mosn');
  t.is(load('{"Servers": [{"Listeners": []}]}').dialect, 'mosn');
  t.is(load('{"clusters": []}').dialect, 'heddle');
  t.is(load('{}').dialect, 'heddle');
});

test('keys are found whatever their case, values are not changed', (t) => {
  const text = JSON.stringify(mosn()).replace('"address"', '"Address"').replace('"bind_port"', '"Bind_Port"');
  const [listener] = converted(text).listeners;
  t.is(listener?.address, '127.0.0.1:2045');
  t.is(listener?.name, 'in');
});

test('an unknown key is a problem with its line and the nearest word, --lenient ignores it', (t) => {
  const text = `{
  "servers": [{
    "listeners": [],
    "routesr": []
  }]
}`;
  const [problem] = load(text).problems;
  t.is(problem?.path, 'servers[0].routesr');
  t.is(problem?.line, 4);
  t.is(problem?.nearest, 'routers');
  const lenient = load(text, { lenient: true });
  t.deepEqual(lenient.problems, []);
  t.is(lenient.notices[0]?.path, 'servers[0].routesr');
  t.is(lenient.notices[0]?.nearest, 'routers');
});

test('every unknown key is told at once, and a key that stands twice in two cases', (t) => {
  const config = mosn({ listener: { nmae: 'x', filter_chian: [] } });
  t.deepEqual(problemsOf(config), [
    'servers[0].listeners[0].nmae: "nmae"',
    'servers[0].listeners[0].filter_chian: "filter_chian"',
  ]);
  const twice = JSON.stringify(mosn()).replace('"name":"in"', '"name":"in","Name":"out"');
  t.deepEqual(problemsOf(twice), ['servers[0].listeners[0].Name: "Name"']);
  t.is(converted(twice, { lenient: true }).listeners[0]?.name, 'out');
});

test('keys that do nothing are told, those that MOSN cannot tell from absent ones are not', (t) => {
  const config = mosn({
    server: { processor: 4, use_netpoll_mode: false },
    root: { pid: '/run/x.pid', disable_upgrade: false },
  });
  const told = noticesOf(config);
  t.is(told.length, 2);
  t.regex(told.join('\n'), /^pid: no effect: /m);
  t.regex(told.join('\n'), /^servers\[0\]\.processor: no effect: /m);
});

test('what cannot be done here is refused, --lenient leaves it out', (t) => {
  const config = mosn({ root: { dynamic_resources: { lds_config: {} } } });
  t.deepEqual(problemsOf(config), ['dynamic_resources: {"lds_config":{}}']);
  t.is(converted(config, { lenient: true }).listeners.length, 1);
  t.regex(noticesOf(config, { lenient: true }).join('\n'), /^dynamic_resources: left out: there is no xDS/m);
});

test('wrong types are problems with the path, null is nothing', (t) => {
  const config = mosn({ listener: { name: 7, access_logs: {} }, cluster: { connect_timeout: 3 } });
  t.deepEqual(problemsOf(config), [
    'servers[0].listeners[0].name: 7',
    'servers[0].listeners[0].access_logs: {}',
    'cluster_manager.clusters[0].connect_timeout: 3',
  ]);
  t.is(
    converted(mosn({ cluster: { connect_timeout: null, circuit_breakers: null } })).clusters[0]
      ?.connectTimeoutMs,
    5000,
  );
});

test('problems of the native check name the place in the MOSN file', (t) => {
  const text = `{
  "servers": [{
    "routers": [{ "router_config_name": "main", "virtual_hosts": [{ "name": "a", "domains": ["*"], "routers": [
      { "match": { "prefix": "/a" },
        "route": { "cluster_name": "nowhere" } },
      { "match": { "regex": "(" }, "route": { "cluster_name": "up" } }
    ] }] }],
    "listeners": [{ "name": "in", "address": "nonsense", "bind_port": true,
      "filter_chains": [{ "filters": [{ "type": "proxy", "config": { "downstream_protocol": "Http1", "router_config_name": "main" } }] }] }]
  }],
  "cluster_manager": { "clusters": [{ "name": "up" }] }
}`;
  const told = load(text).problems.map((each) => `${each.line} ${each.path}`);
  t.deepEqual(told.toSorted(), [
    '5 servers[0].routers[0].virtual_hosts[0].routers[0].route.cluster_name',
    '6 servers[0].routers[0].virtual_hosts[0].routers[1].match.regex',
    '8 servers[0].listeners[0].address',
  ]);
});
