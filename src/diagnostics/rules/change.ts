import { HeddleError } from '../../core/base/errors.ts';
import type { RuleState } from '../contract.ts';

/** New settings by rule: `{ stall: { aboveMs: 800 } }`. */
export type RuleChanges = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * The rules that a monitor has, with some settings changed and all others as they are: what `setRules` takes. The
 * same in either mode; `cpuMax` counts as a setting of holmes' check `cpu`.
 *
 * @param states of `status().rules`.
 * @throws HeddleError ERR_MONITOR_RULES for a rule that the monitor has not got.
 */
export function changedRules(states: readonly RuleState[], changes: RuleChanges): unknown {
  const known = states.map(({ name }) => name);
  const unknown = Object.keys(changes).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const detail = unknown.map((name) => `there is no rule "${name}"; this monitor has ${known.join(', ')}`);
    throw new HeddleError('ERR_MONITOR_RULES', detail.join('; '));
  }
  const rules = states.map(({ name, settings }) => ({ name, settings: { ...settings, ...changes[name] } }));
  // A rule of ours says its type; a check of holmes has none.
  if (states.every(({ settings }) => 'type' in settings)) return rules.map(({ settings }) => settings);
  const checks = rules.map(({ name, settings: { cpuMax: _cpuMax, ...settings } }) => [name, settings]);
  const cpuMax = rules.find(({ name }) => name === 'cpu')?.settings['cpuMax'] ?? 0;
  return { holmes: { ...Object.fromEntries(checks), cpuMax } };
}
