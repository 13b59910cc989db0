import { signalCatalogue } from '../signals/catalogue.ts';
import type { Condition, Rule } from './rule-types.ts';

/** The ring holds 120 s; a window needs a little of what was before it. */
const longestWindowMs = 110_000;
/** Signals that cannot be larger. */
const largest: Readonly<Record<string, number>> = {
  gcTimePercent: 100,
  throttledPercent: 100,
  loopUtilization: 1,
};
/** What stops the application for seconds is nothing that a rule may decide. */
const onRequestOnly = new Set(['coroutines', 'snapshot']);

const signalNames = new Set(signalCatalogue.map((signal) => signal.name));
const isKnownSignal = (name: string): boolean =>
  signalNames.has(name) || name.startsWith('user:') || name.startsWith('resource:');

/** What is wrong with a rule that is well-formed: it can never fire, contradicts itself, or asks for what no rule gets. */
export function problemsOf(rule: Rule, where: string): string[] {
  const conditions = rule.type === 'hold' || rule.type === 'deviation' ? rule.when : [];
  const signals = [...conditions.map((one) => one.signal), ...('signal' in rule ? [rule.signal] : [])];
  return [
    ...signals
      .filter((signal) => !isKnownSignal(signal))
      .map((signal) => `no signal is called "${signal}"${nearest(signal)}`),
    ...conditions.flatMap(problemsOfCondition),
    ...contradictions(conditions),
    ...problemsOfWindow(rule),
    ...rule.capture
      .filter((kind) => onRequestOnly.has(kind))
      .map((kind) => `"${kind}" stops the application and is taken on request only, with --deep`),
  ].map((problem) => `${where}: ${problem}`);
}

function problemsOfCondition({ signal, above, below }: Condition): string[] {
  if (above === undefined && below === undefined) return [`${signal} needs "above" or "below"`];
  // A signal of the user's own may be negative.
  if (below !== undefined && below < 0 && !signal.startsWith('user:'))
    return [`${signal} is never below 0, so below ${below} can never fire`];
  const most = largest[signal];
  return most !== undefined && above !== undefined && above > most
    ? [`${signal} is never above ${most}, so above ${above} can never fire`]
    : [];
}

/** Over all conditions: the highest "above" and the lowest "below" of a signal must leave room. */
function contradictions(conditions: readonly Condition[]): string[] {
  return [...Map.groupBy(conditions, ({ signal }) => signal)].flatMap(([signal, own]) => {
    const above = Math.max(...own.map((one) => one.above ?? Number.NEGATIVE_INFINITY));
    const below = Math.min(...own.map((one) => one.below ?? Number.POSITIVE_INFINITY));
    return above > below ? [`${signal} cannot be above ${above} and below ${below}: it can never fire`] : [];
  });
}

function problemsOfWindow(rule: Rule): string[] {
  const problems: string[] = [];
  if ((rule.type === 'hold' || rule.type === 'deviation') && rule.forMs > longestWindowMs)
    problems.push(`forMs ${rule.forMs} is longer than the ring of 120 s: it can never fire`);
  if (rule.type === 'deviation' && rule.overMs <= rule.forMs)
    problems.push(
      `overMs ${rule.overMs} is not longer than forMs ${rule.forMs}: there is no time before to compare with`,
    );
  if (rule.type === 'nearLimit' && rule.from > rule.above)
    problems.push(`from ${rule.from} is above "above" ${rule.above}`);
  if (rule.enabled && rule.maxPerHour === 0)
    problems.push('maxPerHour is 0, so it can never fire; use enabled: false');
  return problems;
}

/** The known signal that shares the longest beginning. */
function nearest(name: string): string {
  const shared = (other: string): number => {
    let length = 0;
    while (length < name.length && name[length]?.toLowerCase() === other[length]?.toLowerCase()) length++;
    return length;
  };
  const best = [...signalNames].sort((a, b) => shared(b) - shared(a))[0];
  return best !== undefined && shared(best) >= 3 ? `; did you mean "${best}"?` : '';
}
