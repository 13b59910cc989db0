import test from 'ava';
import { checkConfig } from '../../../src/core/config/check.ts';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { fakeExtensions } from './support.ts';

function problemsOf(route: RouteInput): string[] {
  const listeners = [
    {
      name: 'l',
      address: '127.0.0.1:0',
      virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ cluster: 'a', ...route }] }],
    },
  ];
  const input = { listeners, clusters: [{ name: 'a', endpoints: ['127.0.0.1:1'] }] };
  const checkExpression = (text: string) => (text === 'bad' ? 'it is bad' : null);
  return checkConfig(input, fakeExtensions(), { checkExpression }).problems.map(
    ({ path, allowed }) => `${path.replace('listeners[0].virtualHosts[0].routes[0]', 'route')}: ${allowed}`,
  );
}

test('contradictions and mistakes within a route are told where they are', (t) => {
  const cases: [route: RouteInput, expected: RegExp[]][] = [
    [{ match: { template: 'users' } }, [/^route\.match\.template: .*begins with "\/"/]],
    [{ match: { template: '/{a}/{a}' } }, [/twice/]],
    [{ match: { template: '/{a=**}/{b}' } }, [/"\*\*" is the last operator/]],
    [{ match: { template: '/{a' } }, [/"\{" without "\}"/]],
    [{ match: { template: '/{1}' } }, [/a name is a letter/]],
    [{ match: { template: '/a b' } }, [/percent-encoded/]],
    [{ match: { template: '/a', path: '/a' } }, [/match/]],
    [{ match: { expression: 'bad' } }, [/^route\.match\.expression: a CEL expression \(it is bad\)/]],
    [{ match: { cookies: [{ name: 'a', exact: 'x', regex: '(' }] } }, [/cookies\[0\]/, /RE2 syntax/]],
    [{ match: { variables: [{ name: 'protocol', within: ['10.0.0.0/8'] }] } }, [/protocol is no address/]],
    [
      { match: { variables: [{ name: 'sourceAddress', within: ['10.0.0.0/99'] }] } },
      [/an IP address or a block/],
    ],
    [{ rewrite: { template: '/{id}' } }, [/match\.template beside it/]],
    [{ match: { template: '/{a}' }, rewrite: { template: '/{b}' } }, [/\{b\} is none of the names/]],
    [{ rewrite: { regex: { pattern: '(', substitution: '' } } }, [/RE2 syntax/]],
    [{ rewrite: { regex: { pattern: '(a)', substitution: '\\2' } } }, [/none of the pattern's 1 groups/]],
    [{ rewrite: { regex: { pattern: 'a', substitution: '\\x' } } }, [/before a digit or a backslash/]],
    [{ rewrite: { host: 'a', hostFromHeader: 'b' } }, [/rewrite/]],
    [{ rewrite: { hostFromEndpoint: true, hostFromHeader: 'b' } }, [/rewrite/]],
    [{ hashPolicies: [{}] }, [/one of header, cookie/]],
    [{ hashPolicies: [{ header: 'a', query: 'b' }] }, [/hashPolicies\[0\]/]],
    [{ hashPolicies: [{ header: 'a', ttlMs: 1 }] }, [/belongs to a cookie/]],
    [{ mirrors: [{ cluster: 'b' }] }, [/the name of a cluster: a/]],
    [{ mirrors: [{ cluster: 'a', percent: 101 }] }, [/100/]],
    [{ hedge: {} }, [/one of delayMs, onPerTryTimeout/]],
    [{ hedge: { onPerTryTimeout: true } }, [/retry\.perTryTimeoutMs above 0/]],
    [{ internalRedirect: { hosts: ['a:80'] } }, [/without a port/]],
  ];
  for (const [route, expected] of cases) {
    const problems = problemsOf(route);
    for (const pattern of expected) {
      t.true(
        problems.some((each) => pattern.test(each)),
        `${JSON.stringify(route)}: ${JSON.stringify(problems)}`,
      );
    }
  }
});

test('policies of requests that go upstream are refused where none does', (t) => {
  const route: RouteInput = {
    directResponse: { status: 200 },
    mirrors: [{ cluster: 'a' }],
    hedge: { delayMs: 5 },
    hashPolicies: [],
  };
  const { cluster: _, ...rest } = { cluster: undefined, ...route };
  const problems = problemsOf({ ...rest, cluster: undefined });
  t.is(problems.filter((each) => each.includes('sends no request upstream')).length, 2, problems.join('\n'));
});
