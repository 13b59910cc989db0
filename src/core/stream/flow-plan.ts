import type { FlowCheck, FlowPlan } from '../contract/flow.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { RepeatPlan } from '../contract/stream-filter.ts';

/** Can any call of this pipeline be repeated? */
export function mayRepeat({ router, filters }: Pipeline): boolean {
  if (router.isByHead !== true || filters.beforeRoute.length + filters.afterHost.length > 0) return false;
  return filters.all.every(({ filter }) => filter.planRepeat !== undefined);
}

/** Would other calls with this head go the same way, whoever sends them and whenever? */
export function isRepeatable(s: Stream, route: Route): boolean {
  if (route.action.kind !== 'forward' || route.requestHeaders !== null || route.rewrite !== null)
    return false;
  return s.rechoices === 0 && s.tries === 1 && s.triedHosts === null && !s.req.isEdited && s.flags === '';
}

/** What the filters of a pipeline have left to do, made of their own plans. */
export class FlowPlans {
  /** The plan that was made last: flows that share it find it in the cache, too. */
  #last: { pipeline: Pipeline | null; plans: readonly RepeatPlan[]; plan: FlowPlan } | null = null;

  /** Of further calls with the head of `s`; null: a filter has to see each call. */
  of(s: Stream, { filters, slots }: Pipeline): FlowPlan | null {
    const plans: RepeatPlan[] = [];
    for (const { filter } of filters.all) {
      const plan = filter.planRepeat?.(s) ?? null;
      if (plan === null) return null;
      plans.push(plan);
    }
    const last = this.#last;
    if (last !== null && last.pipeline === s.pipeline && plans.every((plan, i) => plan === last.plans[i])) {
      return last.plan;
    }
    const counts = [slots.requests, slots.active];
    const checks: FlowCheck[] = [];
    filters.all.forEach(({ filter }, i) => {
      const { counts: own, passes } = plans[i] as RepeatPlan;
      const index = filters.afterRoute.indexOf(filter);
      if (passes !== null) checks.push({ index, countsBefore: counts.length, passes });
      counts.push(...own);
    });
    const plan = { counts: Int32Array.from(counts), checks };
    this.#last = { pipeline: s.pipeline, plans, plan };
    return plan;
  }
}
