import test from 'ava';
import { headerMutation } from '../../../src/core/filters/header-mutation.ts';
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
  requestHeaders: [
    { name: 'X-Tenant', value: '%REQ(x-account?x-user)%', action: 'addIfAbsent' },
    { name: 'x-tag', value: 'one' },
    { name: 'accept', value: 'text/html', action: 'overwrite' },
    { name: 'x-none', value: 'y', action: 'overwriteIfExists' },
  ],
  removeRequestHeaders: ['Cookie'],
  responseHeaders: [{ name: 'x-status', value: 'was %RESPONSE_CODE%' }],
  removeResponseHeaders: ['x-powered-by'],
};
const request =
  'GET / HTTP/1.1\r\nhost: a\r\naccept: */*\r\ncookie: a=1\r\ncookie: b=2\r\nx-user: u7\r\nx-tag: zero\r\n';

test('edits requests and responses as configured', (t) => {
  const rig = createRig();
  const filter = createFilter(headerMutation, config, rig);
  const s = streamOf(request);
  t.is(onRequest(filter, s), 0);
  t.deepEqual(
    { ...s.req.toObject() },
    {
      host: 'a',
      'x-user': 'u7',
      'x-tag': 'zero, one',
      'x-tenant': 'u7',
      accept: 'text/html',
    },
  );
  onResponse(filter, s, 'HTTP/1.1 201 Created\r\nx-powered-by: php\r\n');
  t.deepEqual({ ...s.res.toObject() }, { 'x-status': 'was 201' });
  t.is(counted(rig, 'heddle_filter_header_mutation_applied_total'), 2);
});

test('an operator that gives nothing adds no header', (t) => {
  const filter = createFilter(headerMutation, config, createRig());
  const s = streamOf('GET / HTTP/1.1\r\nhost: a\r\n');
  onRequest(filter, s);
  t.false(s.req.has('x-tenant'));
});

test('a route has its own edits, or none', (t) => {
  const filter = createFilter(headerMutation, config, createRig());
  const off = streamOf(request);
  off.route = route({ filterConfigs: [false] });
  onRequest(filter, off);
  t.true(off.req.has('cookie'));
  const own = parseConfig(headerMutation.config, {
    requestHeaders: [{ name: 'x-route', value: '%ROUTE_NAME%' }],
  });
  for (let i = 0; i < 2; i++) {
    const s = streamOf(request);
    s.route = route({ filterConfigs: [own] });
    onRequest(filter, s);
    t.is(s.req.get('x-route'), 'users');
    t.true(s.req.has('cookie'));
  }
});

test('values that strangers send cannot break out of a header', (t) => {
  const operations = [{ name: 'x-copy', value: '%DYNAMIC_METADATA(k)%' }];
  const filter = createFilter(headerMutation, { requestHeaders: operations }, createRig());
  const s = streamOf();
  s.setMetadata('k', 'a\r\nx-admin: 1');
  onRequest(filter, s);
  t.is(s.req.get('x-copy'), 'a??x-admin: 1');
  t.false(s.req.has('x-admin'));
});

test('framing headers, unknown operators and unknown keys are refused', (t) => {
  const refused = (input: unknown) =>
    t.throws(() => parseConfig(headerMutation.config, input))?.message ?? '';
  t.regex(
    refused({ requestHeaders: [{ name: 'Content-Length', value: '1' }] }),
    /Content-Length frames the message/,
  );
  t.regex(refused({ removeRequestHeaders: ['host'] }), /host frames the message/);
  t.regex(refused({ requestHeaders: [{ name: 'a', value: '%REQ_X%' }] }), /%REQ_X% is not known/);
  t.truthy(refused({ request: [] }));
});
