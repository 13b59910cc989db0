import { parsePathTemplate, parseTemplateRewrite } from '../base/path-template.ts';
import { compilePattern, parseSubstitution, patternProblem } from '../base/pattern.ts';
import { checkPattern } from './check-route-match.ts';
import type { Cursor } from './cursor.ts';
import { missing, type ProblemList } from './problems.ts';
import { refuseTogether } from './repeats.ts';

export function checkRewrite(route: Cursor, problems: ProblemList): void {
  const rewrite = route.at('rewrite');
  refuseTogether(rewrite, ['path', 'prefix', 'regex', 'template'], problems);
  refuseTogether(rewrite, ['host', 'hostFromHeader', 'hostFromEndpoint'], problems);
  checkTemplateRewrite(rewrite.at('template'), route.at('match').at('template'), problems);
  checkRegexRewrite(rewrite.at('regex'), problems);
}

function checkTemplateRewrite(place: Cursor, matched: Cursor, problems: ProblemList): void {
  const text = place.text();
  if (text === null) return;
  const template = parsePathTemplate(matched.text() ?? '');
  if (typeof template === 'string') {
    // A malformed one is a problem of its own.
    if (matched.value === undefined) problems.add(place.path, text, 'match.template beside it');
    return;
  }
  const parts = parseTemplateRewrite(text, template.names);
  if (typeof parts === 'string') problems.add(place.path, text, `a path with {names} (${parts})`);
}

function checkRegexRewrite(regex: Cursor, problems: ProblemList): void {
  checkPattern(regex.at('pattern'), problems);
  const pattern = regex.at('pattern').text();
  const place = regex.at('substitution');
  const text = place.text();
  if (pattern === null || text === null || patternProblem(pattern) !== null) return;
  const parts = parseSubstitution(text, compilePattern(pattern).groupCount);
  if (typeof parts === 'string') problems.add(place.path, text, `a substitution (${parts})`);
}

const hashKinds = ['header', 'cookie', 'query', 'attachment', 'metadata', 'source'];

export function checkHashPolicies(policies: Cursor, problems: ProblemList): void {
  for (const policy of policies.items()) {
    if (policy.given(hashKinds).length === 0)
      problems.add(policy.path, missing, `one of ${hashKinds.join(', ')}`);
    refuseTogether(policy, hashKinds, problems);
    if (policy.has('cookie')) continue;
    for (const key of policy.given(['ttlMs', 'path'])) {
      problems.add(policy.at(key).path, policy.at(key).value, 'nothing, as it belongs to a cookie');
    }
  }
}

export function checkHedge(route: Cursor, problems: ProblemList): void {
  const hedge = route.at('hedge');
  if (hedge.record() === null) return;
  const kinds = ['delayMs', 'onPerTryTimeout'];
  if (hedge.given(kinds).length === 0) problems.add(hedge.path, missing, `one of ${kinds.join(', ')}`);
  refuseTogether(hedge, kinds, problems);
  const limit = route.at('retry').at('perTryTimeoutMs').value;
  if (hedge.has('onPerTryTimeout') && !(typeof limit === 'number' && limit > 0)) {
    const place = hedge.at('onPerTryTimeout');
    problems.add(place.path, place.value, 'retry.perTryTimeoutMs above 0 beside it');
  }
}
