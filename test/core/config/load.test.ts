import test from 'ava';
import { loadConfigText } from '../../../src/core/config/load.ts';
import { fakeExtensions } from './support.ts';

const load = (text: string, path = 'heddle.yaml') => loadConfigText(text, { path }, fakeExtensions());
const problemsOf = (text: string, path?: string): string[] =>
  load(text, path).problems.map((each) => `${each.file}:${each.line} ${each.path}: ${each.read}`);

test('problems name file and line, of the key or of the object that lacks it', (t) => {
  const text = `listeners:
  - name: ingress
    address: 127.0.0.1:0
    virtualHosts:
      - name: all
        domains: ["*"]
        routes:
          - match: { prefix: /a }
            cluster: usres
            timoutMs: 5
          - match:
              prefix: /b
clusters:
  - name: users
    endpoints:
      - 127.0.0.1:9001
      - nowhere
  - endpoints: []
`;
  const route = 'listeners[0].virtualHosts[0].routes';
  t.deepEqual(problemsOf(text), [
    `heddle.yaml:10 ${route}[0].timoutMs: "timoutMs"`,
    'heddle.yaml:17 clusters[0].endpoints[1]: "nowhere"',
    'heddle.yaml:18 clusters[1].name: nothing',
    `heddle.yaml:9 ${route}[0].cluster: "usres"`,
    `heddle.yaml:11 ${route}[1]: nothing`,
  ]);
});

test('the same configuration in YAML and JSON is the same', (t) => {
  const json = { clusters: [{ name: 'users', endpoints: ['127.0.0.1:1'], pool: { preconnect: 2 } }] };
  const yaml = 'clusters:\n- name: users\n  endpoints: ["127.0.0.1:1"]\n  pool:\n    preconnect: 2\n';
  const config = load(yaml).config;
  t.is(config?.clusters[0]?.pool.preconnect, 2);
  t.deepEqual(load(JSON.stringify(json), 'a.json').config, config);
  t.deepEqual(load(`\uFEFF${JSON.stringify(json, null, '\t')}`, 'a.JSON').config, config);
});

test('texts of JSON may hold quotes, backslashes, colons and any number', (t) => {
  const metadata = { 'a:"b\\': '\\', '\\"': '":"', 'ö\u0001': ':', '7': 'x', n: '-0' };
  const json = { clusters: [{ name: 'users', endpoints: [{ address: 'a:1', metadata }] }] };
  for (const path of ['a.json', 'a.yaml']) {
    const { config, problems } = load(JSON.stringify(json, null, 1), path);
    t.deepEqual(problems, []);
    t.deepEqual({ ...config?.clusters[0]?.endpoints[0]?.metadata }, metadata);
  }
});

test('a problem in JSON has its line', (t) => {
  t.deepEqual(problemsOf('{\n "clusters": [],\n "bufers": {}}', 'a.json'), ['a.json:3 bufers: "bufers"']);
  const deep = `{"log":\n${'['.repeat(70)}${']'.repeat(70)}}`;
  t.regex(load(deep, 'a.json').problems[0]?.allowed ?? '', /at most 64 levels/);
  const twice = '{\n "log": {"level": "info",\n "l\\u0065vel": "debug"}}';
  t.deepEqual(problemsOf(twice, 'a.json'), ['a.json:2 log.level: "level"']);
});

test('an empty text is a configuration of defaults', (t) => {
  t.is(load('').config?.log.level, 'info');
  t.is(load('# nothing\n').config?.log.level, 'info');
});

test('what is no YAML or JSON is told with its line, and nothing is thrown', (t) => {
  t.deepEqual(problemsOf('clusters: [\nlog: 1'), ['heddle.yaml:2 : the text']);
  t.regex(load('a: [').problems[0]?.allowed ?? '', /^YAML \(/);
  t.deepEqual(problemsOf('{\n "clusters": [],\n}', 'a.json'), ['a.json:3 : the text']);
  t.is(load('clusters: []', 'a.json').config, null);
  t.deepEqual(problemsOf('a: 1\n---\nb: 2\n'), ['heddle.yaml:2 : the text']);
  t.deepEqual(problemsOf('log: !!js/function x\n'), ['heddle.yaml:1 : the text']);
});

test('a key that stands twice is refused beside all other problems', (t) => {
  t.deepEqual(problemsOf('log: { level: info }\nbufers: {}\nlog: { level: debug }\n'), [
    'heddle.yaml:1 log: "log"',
    'heddle.yaml:2 bufers: "bufers"',
  ]);
  t.deepEqual(problemsOf('{"log": {},\n "log": {}}', 'a.json'), ['a.json:1 log: "log"']);
});

test('keys that reach a prototype are refused wherever they stand', (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    const yaml = `clusters:\n- name: a\n  endpoints:\n  - address: a:1\n    metadata:\n      ${key}: { polluted: "yes" }\n`;
    t.is(problemsOf(yaml)[0], `heddle.yaml:6 clusters[0].endpoints[0].metadata.${key}: "${key}"`);
    t.deepEqual(problemsOf(`{"${key}": {"polluted": true}}`, 'a.json'), [`a.json:1 ${key}: "${key}"`]);
  }
  t.is(({} as { polluted?: unknown }).polluted, undefined);
});

test('an alias is the value it names; a bomb of aliases and one that names itself stay small', (t) => {
  const shared = 'clusters:\n- name: a\n  pool: &pool { preconnect: 3 }\n- name: b\n  pool: *pool\n';
  t.is(load(shared).config?.clusters[1]?.pool.preconnect, 3);
  let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 12; i++)
    bomb += `a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]\n`;
  const start = performance.now();
  t.regex(load(bomb).problems[0]?.allowed ?? '', /at most 1000000 values/);
  t.true(performance.now() - start < 20_000);
  t.regex(load('log: &a { level: *a }').problems[0]?.allowed ?? '', /at most 64 levels/);
});

test('a text of many megabytes is refused unread', (t) => {
  t.regex(load(`#${'x'.repeat(64 * 2 ** 20)}`).problems[0]?.allowed ?? '', /at most 67108864 characters/);
});

test('keys that are numbers are texts, keys that are objects are refused', (t) => {
  const metadata = (key: string) =>
    `clusters:\n- name: a\n  endpoints: [{ address: "a:1", metadata: { ${key}: "v" } }]\n`;
  t.deepEqual(load(metadata('1')).config?.clusters[0]?.endpoints[0]?.metadata, { '1': 'v' });
  t.is(load(metadata('[1]')).problems[0]?.read, '"a key that is no text"');
});
