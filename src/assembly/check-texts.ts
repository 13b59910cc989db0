import type { CheckOptions } from '../core/config/check-options.ts';
import { checkValue } from '../core/observe/access-log/compile-value.ts';
import { expressionProblem } from '../core/route/expression.ts';

/** How the composition roots check what the configuration itself cannot read: operators and expressions. */
export const textChecks: Pick<CheckOptions, 'checkValue' | 'checkExpression'> = {
  checkValue,
  checkExpression: expressionProblem,
};
