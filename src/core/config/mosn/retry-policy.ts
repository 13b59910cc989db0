import type { MosnContext } from './context.ts';
import type { Section } from './section.ts';

/** MOSN tries as often again even where nothing is configured. */
const leastRetries = 3;

/**
 * MOSN repeats failed connects whatever the policy says; with `retry_on` also answers of the listed codes (none listed:
 * 500 and more), lost connections and tries that took too long, whatever the method. Unlike there `num_retries` is
 * heeded below 3, and tries wait a little before they are repeated.
 */
export function retryOf(context: MosnContext, action: Section<'retry_policy'>): object {
  const policy = action.section('retry_policy', {
    read: ['retry_on', 'retry_timeout', 'num_retries', 'status_codes'],
  });
  if (policy === null) return { on: ['connectFailure'], numRetries: leastRetries };
  const numRetries = policy.count('num_retries');
  const codes = statusCodes(policy);
  const perTryTimeoutMs = policy.durationMs('retry_timeout');
  if (numRetries !== undefined && numRetries < leastRetries) {
    policy.report.notice(
      policy.at('num_retries'),
      numRetries,
      `heeded as it stands; MOSN itself tries ${leastRetries} times again at least`,
    );
  }
  const on = !policy.flag('retry_on')
    ? ['connectFailure']
    : ['connectFailure', 'reset', 'perTryTimeout', ...(codes.length === 0 ? ['serverError'] : [])];
  const made = {
    on,
    numRetries: numRetries ?? leastRetries,
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeoutMs }),
    ...(policy.flag('retry_on') ? { statusCodes: codes, nonIdempotent: true } : {}),
  };
  const keys = {
    numRetries: policy.at('num_retries'),
    perTryTimeoutMs: policy.at('retry_timeout'),
    statusCodes: policy.at('status_codes'),
  };
  return context.origins.mark(made, policy, keys);
}

function statusCodes(policy: Section<'status_codes'>): number[] {
  const codes = policy.raw('status_codes');
  if (codes === undefined) return [];
  if (Array.isArray(codes) && codes.every((code) => typeof code === 'number')) return codes;
  policy.report.problem(policy.at('status_codes'), codes, 'a list of status codes');
  return [];
}
