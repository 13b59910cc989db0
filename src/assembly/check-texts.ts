import { lateModule } from '../core/base/late-module.ts';
import type { CheckOptions } from '../core/config/check-options.ts';
import { checkValue } from '../core/observe/access-log/compile-value.ts';
import { expressionProblem } from '../core/route/expression.ts';

/** Loaded with the first configuration that has a monitor. */
const monitorOptions = lateModule<typeof import('../diagnostics/options.ts')>(
  '../diagnostics/options',
  import.meta.url,
);

/** How the composition roots check what the configuration itself cannot read: operators and expressions. */
export const textChecks: Pick<CheckOptions, 'checkValue' | 'checkExpression' | 'checkMonitor'> = {
  checkValue,
  checkExpression: expressionProblem,
  checkMonitor: (settings) => monitorOptions().monitorProblems(settings),
};
