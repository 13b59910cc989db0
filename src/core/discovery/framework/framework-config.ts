import * as v from 'valibot';
import { migrationSteps } from '../dubbo/migration-rule.ts';

const stance = {
  /** FORCE_INTERFACE | APPLICATION_FIRST | FORCE_APPLICATION. */
  step: v.optional(v.picklist(migrationSteps), 'APPLICATION_FIRST'),
  /** The new list must have this share of the hosts of the old one; negative = any. */
  threshold: v.optional(v.pipe(v.number(), v.minValue(-1), v.maxValue(1000)), 0),
  /** Per cent of the calls that go by the application level under APPLICATION_FIRST; needs a balancer that heeds weights. */
  proportion: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 100),
  /** Between a FORCE step and the switch. */
  delayMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400_000)), 0),
  /** Take a FORCE step whatever the threshold says. */
  force: v.optional(v.boolean(), false),
};

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

/** Options of every registry that carries a framework's services: to be spread into its own. */
export const frameworkEntries = {
  /** Whose layout: dubbo | sofa. */
  dialect: v.optional(v.picklist(['dubbo', 'sofa']), 'dubbo'),
  /** Name of this application, for what it publishes and for its migration rule; "" = it publishes at the interface level only. */
  application: v.optional(v.string(), ''),
  /** Applications that provide a service, by service or "*", where the registry's own mapping is not to be asked. */
  providedBy: v.optional(v.record(v.string(), v.array(name)), {}),
  /** How services move from the interface level to the application level, where the registry has no rule. */
  migration: v.optional(
    v.strictObject({
      ...stance,
      /** Other answers for single interfaces. */
      services: v.optional(v.record(v.string(), v.strictObject(stance)), {}),
    }),
    {},
  ),
  /** Levels at which services are published: both | application | interface. */
  publishAs: v.optional(v.picklist(['both', 'application', 'interface']), 'both'),
  /** Take an empty list for what it says; without it the last list that was not empty serves on (false). */
  allowEmpty: v.optional(v.boolean(), false),
};

const schema = v.strictObject(frameworkEntries);
export type FrameworkConfig = v.InferOutput<typeof schema>;
