import test from 'ava';
import { cors } from '../../../src/core/filters/cors.ts';
import {
  counted,
  createFilter,
  createRig,
  onRequest,
  onResponse,
  parseConfig,
  route,
  streamOf,
} from './harness.ts';

const config = {
  allowOrigins: ['https://app.example', { suffix: '.trusted.example' }, { regex: 'https://[a-z]+\\.dev' }],
  allowMethods: ['GET', 'PUT'],
  allowHeaders: ['x-token', 'content-type'],
  exposeHeaders: ['x-total'],
  maxAgeSeconds: 600,
  allowCredentials: true,
  allowPrivateNetworkAccess: true,
};
const preflight = (origin: string, more = '') =>
  streamOf(
    `OPTIONS / HTTP/1.1\r\nhost: a\r\norigin: ${origin}\r\naccess-control-request-method: PUT\r\n${more}`,
  );
const actual = (origin: string) => streamOf(`GET / HTTP/1.1\r\nhost: a\r\norigin: ${origin}\r\n`);

test('a preflight of an allowed origin is answered with the whole policy', (t) => {
  const rig = createRig();
  const filter = createFilter(cors, config, rig);
  const s = preflight('https://app.example', 'access-control-request-private-network: true\r\n');
  t.is(onRequest(filter, s), 3);
  t.is(s.res.status, 200);
  t.deepEqual(
    { ...s.res.toObject() },
    {
      'access-control-allow-origin': 'https://app.example',
      vary: 'origin',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-token, content-type',
      'access-control-max-age': '600',
      'access-control-allow-private-network': 'true',
    },
  );
  // The core runs response hooks on the answer too: they add nothing a second time.
  filter.onResponseHead?.(s);
  t.is(s.res.getAll('access-control-allow-origin').length, 1);
  t.is(counted(rig, 'heddle_filter_cors_origin_valid_total'), 1);
});

test('an actual request passes and its response is decorated in place of what the upstream said', (t) => {
  const filter = createFilter(cors, config, createRig());
  const s = actual('https://a.trusted.example');
  t.is(onRequest(filter, s), 0);
  onResponse(filter, s, 'HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\nvary: accept\r\n');
  t.deepEqual(
    { ...s.res.toObject() },
    {
      vary: 'accept, origin',
      'access-control-allow-origin': 'https://a.trusted.example',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-total',
    },
  );
});

test('other origins get no headers; their preflights go upstream or are answered empty', (t) => {
  const rig = createRig();
  const filter = createFilter(cors, config, rig);
  for (const origin of [
    'https://evil.example',
    'https://app.example.evil',
    'null',
    'https://x9.dev',
    'https://ab.dev.evil',
  ]) {
    const s = actual(origin);
    t.is(onRequest(filter, s), 0, origin);
    onResponse(filter, s);
    t.false(s.res.has('access-control-allow-origin'), origin);
    t.is(onRequest(filter, preflight(origin)), 0, origin);
  }
  t.is(counted(rig, 'heddle_filter_cors_origin_invalid_total'), 10);
  const strict = createFilter(cors, { ...config, forwardNotMatchingPreflights: false }, createRig());
  const s = preflight('https://evil.example');
  t.is(onRequest(strict, s), 3);
  t.is(s.res.status, 200);
  t.false(s.res.has('access-control-allow-origin'));
});

test('two Origin headers are no origin', (t) => {
  const filter = createFilter(cors, config, createRig());
  const s = actual('https://app.example\r\norigin: https://evil.example');
  onRequest(filter, s);
  onResponse(filter, s);
  t.false(s.res.has('access-control-allow-origin'));
});

test('"*" answers with a star and without vary; it does not go with credentials', (t) => {
  const filter = createFilter(cors, { allowOrigins: ['*'] }, createRig());
  const s = actual('https://anybody.example');
  onRequest(filter, s);
  onResponse(filter, s, 'HTTP/1.1 200 OK\r\n');
  t.deepEqual({ ...s.res.toObject() }, { 'access-control-allow-origin': '*' });
  t.throws(() => parseConfig(cors.config, { allowOrigins: ['*'], allowCredentials: true }));
});

test('requests without Origin and plain OPTIONS pass untouched', (t) => {
  const filter = createFilter(cors, config, createRig());
  const s = streamOf();
  t.is(onRequest(filter, s), 0);
  onResponse(filter, s);
  t.false(s.res.has('access-control-allow-origin'));
  t.is(onRequest(filter, streamOf('OPTIONS / HTTP/1.1\r\norigin: https://app.example\r\n')), 0);
});

test('in the shadow the policy is counted, not applied; a route has another policy or none', (t) => {
  const rig = createRig();
  const shadow = createFilter(cors, { ...config, enabledPercent: 0, shadowPercent: 100 }, rig);
  t.is(onRequest(shadow, preflight('https://app.example')), 0);
  t.is(counted(rig, 'heddle_filter_cors_origin_valid_total'), 1);
  const filter = createFilter(cors, config, createRig());
  const off = preflight('https://app.example');
  off.route = route({ filterConfigs: [false] });
  t.is(onRequest(filter, off), 0);
  const other = preflight('https://other.example');
  other.route = route({
    filterConfigs: [parseConfig(cors.config, { allowOrigins: ['https://other.example'] })],
  });
  t.is(onRequest(filter, other), 3);
});
