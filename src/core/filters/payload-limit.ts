import * as v from 'valibot';
import type { Stream } from '../contract/stream.ts';
import { type RepeatPlan, type StreamFilterDefinition, Verdict } from '../contract/stream-filter.ts';
import { countOne, filterCounter } from './count.ts';
import { noPlan, shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const config = v.strictObject({
  /** Largest request body in bytes. */
  maxBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Status of the answer to a larger one (413). */
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)), 413),
});
export type PayloadLimitConfig = v.InferOutput<typeof config>;

/**
 * Refuses request bodies that are too large: at once when `content-length` says so, else when the bytes that came
 * exceed the limit. After the answer began the stream is closed instead. What was sent upstream until then is cut off.
 *
 * @example
 * filters: [{ name: payload-limit, config: { maxBytes: 1048576 } }]
 */
export const payloadLimit: StreamFilterDefinition<PayloadLimitConfig> = {
  name: 'payload-limit',
  stage: 'afterRoute',
  config,
  create(own, context) {
    const { metrics, slot } = context;
    const checked = filterCounter(context, 'payload-limit', 'checked');
    const configs = new RouteConfigs(slot, own, ({ maxBytes, status }: PayloadLimitConfig) => {
      const plan: RepeatPlan = { counts: [checked], passes: ({ contentBytes }) => contentBytes <= maxBytes };
      return { maxBytes, status, plan };
    });
    const refused = filterCounter(context, 'payload-limit', 'refused');
    const refuse = (s: Stream, status: number): Verdict => {
      countOne(metrics, refused);
      if (s.responseStarted) return Verdict.close;
      return s.reply(status, 'payload_too_large\n', refusal);
    };
    return shapeHooks({
      onRequestHead(s) {
        const limit = configs.of(s);
        if (limit === null) return Verdict.continue;
        countOne(metrics, checked);
        return s.req.contentLength > limit.maxBytes ? refuse(s, limit.status) : Verdict.continue;
      },
      onRequestBody(s, _buf, a, b) {
        const limit = configs.of(s);
        if (limit === null) return Verdict.continue;
        const seen = ((s.attributes[slot] as number | undefined) ?? 0) + b - a;
        s.attributes[slot] = seen;
        return seen > limit.maxBytes ? refuse(s, limit.status) : Verdict.continue;
      },
      // An announced length was checked with the head, and no codec lets more come.
      passesBody: (s) => s.req.contentLength >= 0,
      planRepeat(s) {
        const limit = configs.of(s);
        return limit === null ? noPlan : limit.plan;
      },
    });
  },
};

const refusal = { 'content-type': 'text/plain', 'x-heddle-error': 'payload_too_large' };
