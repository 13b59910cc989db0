import * as v from 'valibot';
import type { HeadView } from '../base/head-view.ts';
import { name, token } from '../config/schema/values.ts';
import type { Stream } from '../contract/stream.ts';
import { type RepeatPlan, type StreamFilterDefinition, Verdict } from '../contract/stream-filter.ts';
import { clientAddressKey } from '../observe/access-log/stream-values.ts';
import { countOne, filterCounter } from './count.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const key = v.pipe(
  name,
  v.check(
    (text) => text !== clientAddressKey,
    `a key other than ${clientAddressKey}, which decides who may pass`,
  ),
);
const rule = v.pipe(
  v.strictObject({
    header: token,
    /** What to note when the header is there: `value`, else the header's value. */
    onPresent: v.optional(v.strictObject({ key, value: v.optional(v.string()) })),
    onMissing: v.optional(v.strictObject({ key, value: v.string() })),
    /** Takes the header off afterwards (false). */
    remove: v.optional(v.boolean(), false),
  }),
  v.check(
    (each) => each.onPresent !== undefined || each.onMissing !== undefined,
    'one of onPresent and onMissing',
  ),
);
const config = v.pipe(
  v.strictObject({ request: v.optional(v.array(rule), []), response: v.optional(v.array(rule), []) }),
  v.check((rules) => rules.request.length + rules.response.length > 0, 'at least one rule'),
);
type Rule = v.InferOutput<typeof rule>;
export type HeaderToMetadataConfig = v.InferOutput<typeof config>;

/** A longer value is not noted: metadata chooses subsets and labels, it is no store for strangers. */
const maxValueLength = 256;

/**
 * Notes header values in the stream's metadata, where subset balancing, later filters and the log find them.
 *
 * @example
 * filters:
 *   - name: header-to-metadata
 *     config:
 *       request:
 *         - header: x-version
 *           onPresent: { key: version }
 *           onMissing: { key: version, value: stable }
 *           remove: true
 */
export const headerToMetadata: StreamFilterDefinition<HeaderToMetadataConfig> = {
  name: 'header-to-metadata',
  stage: 'afterRoute',
  config,
  create(own, context) {
    const configs = new RouteConfigs(context.slot, own, (each: HeaderToMetadataConfig) => ({
      request: each.request.map(compileRule),
      response: each.response.map(compileRule),
    }));
    const noted = filterCounter(context, 'header-to-metadata', 'noted');
    const plan: RepeatPlan = { counts: [noted], passes: null };
    const { metrics } = context;
    return shapeHooks({
      onRequestHead(s) {
        const rules = configs.of(s);
        if (rules !== null && note(s, s.req, rules.request)) countOne(metrics, noted);
        return Verdict.continue;
      },
      onResponseHead(s) {
        const rules = configs.of(s);
        if (rules !== null && note(s, s.res, rules.response)) countOne(metrics, noted);
        return Verdict.continue;
      },
      passesAnswer(s) {
        const rules = configs.of(s);
        return rules === null || rules.response.length === 0;
      },
      // What it notes again is there already.
      planRepeat(s) {
        const rules = configs.of(s);
        if (rules === null || !note(s, s.req, rules.request)) return noPlan;
        return plan;
      },
    });
  },
};

const keptValues = 32;
const compileRule = (each: Rule): CompiledRule => ({
  ...each,
  header: each.header.toLowerCase(),
  kept: new Array<string>(keptValues).fill(''),
});

interface CompiledRule extends Rule {
  /**
   * Values that came, by the last digit and the length of each: tenants and versions come again and again, and
   * comparing bytes costs 10 ns, a new string 60.
   */
  readonly kept: string[];
}

/** True when something was noted. */
function note(s: Stream, head: HeadView, rules: readonly CompiledRule[]): boolean {
  let any = false;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as CompiledRule;
    const { header, onPresent, onMissing, remove } = rule;
    const index = head.find(header);
    if (index < 0) {
      if (onMissing === undefined) continue;
      s.setMetadata(onMissing.key, onMissing.value);
      any = true;
      continue;
    }
    if (onPresent !== undefined) {
      const value = onPresent.value ?? noteValue(head, index, rule);
      if (value.length <= maxValueLength) {
        s.setMetadata(onPresent.key, value);
        any = true;
      }
    }
    if (remove) head.remove(header);
  }
  return any;
}

function noteValue(head: HeadView, index: number, rule: CompiledRule): string {
  const { kept } = rule;
  const place = head.valueMark(index) & (keptValues - 1);
  const known = kept[place] as string;
  if (head.hasValue(index, known)) return known;
  const value = head.valueAt(index);
  if (value.length <= maxValueLength) kept[place] = value;
  return value;
}
