import test from 'ava';
import { checkConfig } from '../../../src/core/config/check.ts';
import { standard } from '../../../src/standard.ts';

const withFilterConfigs = (filterConfigs: object) => ({
  clusters: [{ name: 'c' }],
  listeners: [
    {
      name: 'l',
      address: '127.0.0.1:0',
      filters: ['forwarded-headers', { name: 'payload-limit', config: { maxBytes: 10 } }],
      virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ cluster: 'c', filterConfigs }] }],
    },
  ],
});

test('a filter that runs before the route is known cannot be configured at a route', (t) => {
  const { problems } = checkConfig(withFilterConfigs({ 'forwarded-headers': false }), standard);
  t.is(problems.length, 1);
  t.regex(problems[0]?.path ?? '', /filterConfigs/);
  t.regex(problems[0]?.allowed ?? '', /after the route is known/);
  t.deepEqual(checkConfig(withFilterConfigs({ 'payload-limit': { maxBytes: 5 } }), standard).problems, []);
});
