import { changedRules, parseRules, type RuleChanges, type RuleState } from '../../src/diagnostics/index.ts';

/**
 * Rules as a file or an option gives them, with changes on top: what a monitor that is started with them would have.
 * @throws HeddleError ERR_MONITOR_RULES
 */
export function changeRules(rules: unknown, changes: RuleChanges): unknown {
  return changedRules(statesOf(rules), changes);
}

function statesOf(rules: unknown): RuleState[] {
  const parsed = parseRules(rules);
  const state = (name: string, settings: object): RuleState => ({
    name,
    settings: { ...settings },
    enabled: true,
    signal: '',
    firedCount: 0,
    held: '',
  });
  if (parsed.mode === 'default') return parsed.rules.map((rule) => state(rule.name, rule));
  const { cpuMax, ...checks } = parsed.holmes;
  return Object.entries(checks).map(([name, check]) =>
    state(name, name === 'cpu' ? { ...check, cpuMax } : check),
  );
}
