import test from 'ava';
import { SeededRandom } from '../../../../src/core/base/random.ts';
import * as balancers from '../../../../src/core/cluster/balancers/index.ts';
import type { BalancerDefinition } from '../../../../src/core/contract/cluster.ts';
import { balancerContractSuite } from '../../../../src/testing/suites/balancer-contract-suite.ts';
import { testDependencies } from '../support.ts';

for (const definition of Object.values(balancers) as BalancerDefinition[]) {
  balancerContractSuite(test, definition.name, () => {
    const result = definition.config['~standard'].validate({});
    if (result instanceof Promise || result.issues !== undefined) throw new Error('defaults refused');
    return definition.create(result.value, { ...testDependencies(), random: new SeededRandom(8) });
  });
}

test('unknown keys are refused by every balancer', (t) => {
  for (const definition of Object.values(balancers) as BalancerDefinition[]) {
    const result = definition.config['~standard'].validate({ nonsense: 1 });
    t.true(!(result instanceof Promise) && (result.issues ?? []).length === 1, definition.name);
  }
});
