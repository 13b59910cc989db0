import * as v from 'valibot';
import { HeddleError } from '../../core/base/errors.ts';
import { isUnknownKey, unknownKey } from '../known-keys.ts';
import { profileKindNames } from '../profiles/kinds.ts';
import { defaultRules } from './defaults.ts';
import { type HolmesOptions, holmesChecks, holmesDefaults } from './holmes.ts';
import { problemsOf } from './problems.ts';
import type { Rule } from './rule-types.ts';

/** Rules as the engine takes them. */
export type ParsedRules =
  | { readonly mode: 'default'; readonly rules: readonly Rule[] }
  | { readonly mode: 'holmes'; readonly holmes: HolmesOptions };

const finite = v.pipe(v.number(), v.finite());
const notNegative = v.pipe(finite, v.minValue(0));
const condition = v.strictObject({
  signal: v.string(),
  above: v.optional(finite),
  below: v.optional(finite),
});

const common = {
  name: v.pipe(v.string(), v.regex(/^[\w-]{1,60}$/, 'a name has 1 to 60 letters, digits, "-" or "_"')),
  enabled: v.optional(v.boolean(), true),
  capture: v.optional(v.array(v.picklist(profileKindNames as [string, ...string[]])), ['cpu', 'heap']),
  prepare: v.optional(v.array(v.picklist(['heap', 'pending', 'buffers'])), []),
  durationMs: v.optional(v.pipe(finite, v.minValue(100), v.maxValue(60_000)), 3000),
  cooldownMs: v.optional(notNegative, 60_000),
  maxPerHour: v.optional(v.pipe(notNegative, v.integer()), 6),
  twiceTheLast: v.optional(v.boolean(), false),
  warmUp: v.optional(v.boolean(), true),
};

const ruleSchema = v.variant('type', [
  v.strictObject({
    ...common,
    type: v.literal('hold'),
    when: v.pipe(v.array(condition), v.minLength(1)),
    forMs: notNegative,
  }),
  v.strictObject({
    ...common,
    type: v.literal('deviation'),
    signal: v.string(),
    sigma: v.optional(v.pipe(finite, v.minValue(1)), 4),
    floor: finite,
    overMs: v.optional(v.pipe(finite, v.minValue(1000)), 60_000),
    forMs: v.optional(notNegative, 3000),
    when: v.optional(v.array(condition), []),
  }),
  v.strictObject({ ...common, type: v.literal('stall'), aboveMs: v.pipe(finite, v.minValue(150)) }),
  v.strictObject({
    ...common,
    type: v.literal('slope'),
    signal: v.string(),
    windowMs: v.pipe(finite, v.minValue(2000), v.maxValue(110_000)),
    minGrowth: notNegative,
    minGrowthRatio: v.optional(notNegative, 0),
    confirm: v.optional(v.picklist(['none', 'gc']), 'none'),
    confirmMs: v.optional(notNegative, 2000),
  }),
  v.strictObject({
    ...common,
    type: v.literal('nearLimit'),
    signal: v.string(),
    above: v.pipe(finite, v.minValue(1), v.maxValue(100)),
    from: v.pipe(finite, v.minValue(0), v.maxValue(100)),
    projectedMs: notNegative,
    holdMs: v.optional(v.pipe(notNegative, v.maxValue(5000)), 500),
  }),
]);

/** The settings of one rule changed by name: `{ stall: { aboveMs: 1000 }, 'gc-thrash': false }`. */
const changesSchema = v.record(v.string(), v.union([v.boolean(), v.record(v.string(), v.unknown())]));

const holmesCheck = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  min: v.optional(v.pipe(notNegative, v.integer())),
  diff: v.optional(v.pipe(notNegative, v.integer())),
  abs: v.optional(v.pipe(notNegative, v.integer())),
  max: v.optional(v.pipe(notNegative, v.integer())),
  cooldownMs: v.optional(notNegative),
});
const holmesSchema = v.strictObject({
  ...Object.fromEntries(holmesChecks.map((check) => [check, v.optional(holmesCheck)])),
  cpuMax: v.optional(v.pipe(notNegative, v.integer())),
});

/**
 * Reads `rules` in any of its forms: nothing or `default`; `holmes` (every check on, holmes' numbers) or
 * `{ holmes: { cpu: { abs: 80 } } }`; a list of rules; changes to the default rules by name.
 * Throws ERR_MONITOR_RULES that lists every problem.
 */
export function parseRules(input: unknown): ParsedRules {
  if (input === undefined || input === null || input === 'default')
    return { mode: 'default', rules: defaultRules };
  if (input === 'holmes') return { mode: 'holmes', holmes: holmesOf({}) };
  if (Array.isArray(input))
    return checked(input.map((rule, index) => parsed(ruleSchema, rule, `rules[${index}]`)));
  if (typeof input !== 'object') {
    fail([`rules: ${JSON.stringify(input)} is not "default", "holmes", a list or an object`]);
  }
  const holder = input as Record<string, unknown>;
  if ('holmes' in holder) {
    const { holmes, ...rest } = holder;
    if (Object.keys(rest).length > 0)
      fail([`rules: "holmes" stands alone, found also ${Object.keys(rest).join(', ')}`]);
    return { mode: 'holmes', holmes: holmesOf(holmes === true ? {} : holmes) };
  }
  return checked(changedDefaults(parsed(changesSchema, input, 'rules')));
}

function changedDefaults(changes: Record<string, unknown>): unknown[] {
  const known = new Set(defaultRules.map((rule) => rule.name));
  const unknown = Object.keys(changes).filter((name) => !known.has(name));
  if (unknown.length > 0)
    fail(unknown.map((name) => `rules.${name}: no such rule; known are ${[...known].join(', ')}`));
  return defaultRules.map((rule) => {
    const change = changes[rule.name];
    if (change === undefined) return rule;
    if (typeof change === 'boolean') return { ...rule, enabled: change };
    return parsed(ruleSchema, { ...rule, ...(change as object) }, `rules.${rule.name}`);
  });
}

function holmesOf(input: unknown): HolmesOptions {
  const given = parsed(holmesSchema, input, 'rules.holmes') as Record<string, unknown>;
  // In holmes every check is off; asking for holmes' rules turns on those that are named, or all.
  const named = holmesChecks.some((check) => given[check] !== undefined);
  const checks = holmesChecks.map((check) => {
    const own = (given[check] ?? {}) as object;
    return [check, { ...holmesDefaults[check], enabled: !named || given[check] !== undefined, ...own }];
  });
  const options = { ...Object.fromEntries(checks), cpuMax: given['cpuMax'] ?? 0 } as HolmesOptions;
  const problems = holmesChecks.flatMap((check) => {
    const { min, abs, max } = options[check];
    if (max !== 0 && max <= min)
      return [`rules.holmes.${check}: max ${max} is not above min ${min}, so it can never fire`];
    return max !== 0 && abs >= max
      ? [`rules.holmes.${check}: abs ${abs} is not below max ${max}, so abs has no effect`]
      : [];
  });
  if (problems.length > 0) fail(problems);
  return options;
}

/** Rules that are well-formed but can never fire, or contradict each other. */
function checked(input: readonly unknown[]): ParsedRules {
  const rules = input as readonly Rule[];
  const problems = rules.flatMap((rule, index) => {
    const where = `rules[${index}] "${rule.name}"`;
    const isTwice = rules.findIndex((other) => other.name === rule.name) !== index;
    return [...(isTwice ? [`${where}: another rule has that name`] : []), ...problemsOf(rule, where)];
  });
  if (problems.length > 0) fail(problems);
  return { mode: 'default', rules };
}

function parsed<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  return fail(
    result.issues.map((issue) => {
      const detail = isUnknownKey(issue) ? unknownKey(schema, issue) : issue.message;
      return `${where}${dotted(v.getDotPath(issue))}: ${detail}`;
    }),
  );
}

const dotted = (path: string | null): string => (path === null ? '' : `.${path}`);

function fail(problems: readonly string[]): never {
  throw new HeddleError('ERR_MONITOR_RULES', problems.join('; '), { context: { problems } });
}
