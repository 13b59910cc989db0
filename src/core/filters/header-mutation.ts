import * as v from 'valibot';
import type { HeadView } from '../base/head-view.ts';
import { headerEdits } from '../config/schema/route.ts';
import type { HeaderOperations } from '../contract/route.ts';
import type { RepeatPlan, StreamFilter, StreamFilterDefinition } from '../contract/stream-filter.ts';
import { Verdict } from '../contract/stream-filter.ts';
import { checkValue, compileValue } from '../observe/access-log/compile-value.ts';
import { applyHeaderOperations, compileEdits } from '../route/header-operations.ts';
import { countOne, filterCounter } from './count.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

/** Headers that frame the message or belong to the connection: the codecs own them. */
const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'host',
]);

const config = v.pipe(
  v.strictObject(headerEdits),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { requestHeaders, responseHeaders, removeRequestHeaders, removeResponseHeaders } = dataset.value;
    for (const each of [...requestHeaders, ...responseHeaders]) {
      for (const problem of checkValue(each.value))
        addIssue({ message: `value of ${each.name}: ${problem}` });
    }
    const named = [...requestHeaders, ...responseHeaders].map((each) => each.name);
    for (const name of [...named, ...removeRequestHeaders, ...removeResponseHeaders]) {
      if (framing.has(name.toLowerCase()))
        addIssue({ message: `${name} frames the message and cannot be edited` });
    }
  }),
);
export type HeaderMutationConfig = v.InferOutput<typeof config>;

/**
 * Adds, sets and removes headers of requests and responses; values may hold access-log operators. The same edits as at
 * listener, virtual host and route, but at a place of the filter chain: later filters see them.
 *
 * @example
 * filters:
 *   - name: header-mutation
 *     config:
 *       requestHeaders: [{ name: x-tenant, value: "%REQ(x-account?x-user)%", action: addIfAbsent }]
 *       removeResponseHeaders: [x-powered-by]
 */
export const headerMutation: StreamFilterDefinition<HeaderMutationConfig> = {
  name: 'header-mutation',
  stage: 'afterRoute',
  config,
  create(own, context): StreamFilter {
    const configs = new RouteConfigs(context.slot, own, (each: HeaderMutationConfig) =>
      compileEdits(each, compileValue),
    );
    const applied = filterCounter(context, 'header-mutation', 'applied');
    const plan: RepeatPlan = { counts: [applied], passes: null };
    const { metrics } = context;
    return shapeHooks({
      onRequestHead(s) {
        const edits = configs.of(s);
        if (edits === null || edits.request === null) return Verdict.continue;
        applyHeaderOperations(edits.request, s.req, s);
        countOne(metrics, applied);
        return Verdict.continue;
      },
      onResponseHead(s) {
        const edits = configs.of(s);
        if (edits === null || edits.response === null) return Verdict.continue;
        applyHeaderOperations(edits.response, s.res, s);
        countOne(metrics, applied);
        return Verdict.continue;
      },
      passesAnswer(s) {
        const edits = configs.of(s);
        return edits === null || edits.response === null;
      },
      planRepeat(s) {
        const edits = configs.of(s);
        if (edits === null || edits.request === null) return noPlan;
        return isIdle(edits.request, s.req) ? plan : null;
      },
    });
  },
};

/** Do the fields that are there leave nothing to do? */
function isIdle({ remove, apply }: HeaderOperations, head: HeadView): boolean {
  if (remove.some((name) => head.has(name))) return false;
  return apply.every(({ action, lowerName }) => {
    if (action === 'addIfAbsent') return head.has(lowerName);
    return (action === 'overwriteIfExists' || action === 'remove') && !head.has(lowerName);
  });
}
