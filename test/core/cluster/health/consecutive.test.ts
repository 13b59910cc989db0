import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { createCluster } from '../../../../src/core/cluster/cluster.ts';
import { clusterSettings, type OutlierSettings } from '../../../../src/core/cluster/settings.ts';
import type { Host } from '../../../../src/core/contract/cluster.ts';
import { endpoints, full, testDependencies } from '../support.ts';

type Try = number | 'reset' | 'connect' | 'client';
const codes = { reset: Code.upstreamReset, connect: Code.connectFailure, client: Code.downstreamClosed };

/** The reason of the first ejection and after how many tries it came; null when there was none. */
function firstEjection(given: Partial<OutlierSettings>, tries: readonly Try[]): [number, string] | null {
  const dependencies = testDependencies();
  const outlierDetection = {
    consecutiveErrors: 0,
    baseEjectionMs: 1000,
    maxEjectionMs: 1000,
    maxEjectionPercent: 100,
    ...given,
  };
  const cluster = createCluster(clusterSettings({ name: 'c', outlierDetection }), dependencies);
  cluster.applyDelta(full(...endpoints(3)));
  const host = cluster.hostSet.all[0] as Host;
  for (const [i, each] of tries.entries()) {
    if (typeof each === 'number') cluster.report(host, each, Code.none, 1);
    else cluster.report(host, 0, codes[each], 1);
    if (host.ejectedUntilMs > 0) return [i + 1, String(dependencies.logger.lines.at(-1)?.fields['reason'])];
  }
  return null;
}

const errors = { consecutiveErrors: 3 };
const gateway = { consecutiveGatewayErrors: 3 };
const split = { consecutiveErrors: 3, splitLocalOriginErrors: true, consecutiveLocalOriginErrors: 2 };
const cases: [string, Partial<OutlierSettings>, Try[], [number, string] | null][] = [
  ['5xx in a row', errors, [500, 503, 501], [3, 'consecutiveErrors']],
  ['a good answer ends the row', errors, [500, 500, 200, 500, 500], null],
  ['4xx is a good answer of the host', errors, [500, 500, 404, 500], null],
  ['what the host did not answer counts as 5xx', errors, [500, 'reset', 'connect'], [3, 'consecutiveErrors']],
  ['what the client did says nothing', errors, [500, 500, 'client', 500], [4, 'consecutiveErrors']],
  ['gateway errors in a row', gateway, [502, 503, 504], [3, 'consecutiveGatewayErrors']],
  ['a 500 is an answer of the host, not of a gateway', gateway, [502, 503, 500, 504, 502], null],
  [
    'what the host did not answer is a gateway error',
    gateway,
    ['connect', 502, 'reset'],
    [3, 'consecutiveGatewayErrors'],
  ],
  ['split: no answer twice', split, ['reset', 'connect'], [2, 'consecutiveLocalOriginErrors']],
  ['split: any answer ends that row', split, ['reset', 500, 'reset', 500, 'reset'], null],
  ['split: no answer is no 5xx', split, [500, 500, 'reset', 200, 500, 500], null],
  ['split: 5xx in a row', split, [500, 'reset', 500, 500], [4, 'consecutiveErrors']],
  ['split without a limit', { ...split, consecutiveLocalOriginErrors: 0 }, ['reset', 'reset', 'reset'], null],
  [
    'both: the first that is full',
    { ...errors, consecutiveGatewayErrors: 2 },
    [500, 502, 503],
    [3, 'consecutiveErrors'],
  ],
  ['nothing is counted', {}, [500, 500, 500, 500, 500, 500], null],
];
for (const [title, given, tries, expected] of cases) {
  test(title, (t) => {
    t.deepEqual(firstEjection(given, tries), expected);
  });
}
