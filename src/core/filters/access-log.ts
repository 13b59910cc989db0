import * as v from 'valibot';
import type { AccessLog } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamFilterDefinition } from '../contract/stream-filter.ts';
import { checkAccessLogFormat, createAccessLog } from '../observe/access-log/access-log.ts';
import type { JsonTemplate } from '../observe/access-log/json-format.ts';
import { countOne, filterCounter } from './count.ts';
import { shapeHooks } from './hooks.ts';
import { RouteConfigs } from './route-config.ts';

const config = v.pipe(
  v.strictObject({
    /** stdout, stderr or an absolute path (stdout). */
    path: v.optional(
      v.pipe(v.string(), v.regex(/^(stdout|stderr|\/.+)$/, 'stdout, stderr or an absolute path')),
      'stdout',
    ),
    /** `heddle`, `envoy`, `mosn` or a text with their operators (heddle). */
    format: v.optional(v.string()),
    /** A JSON object a line instead of text. */
    json: v.optional(v.record(v.string(), v.unknown())),
    /** Share of the streams that are written, 0 to 100 (100). */
    samplePercent: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 100),
    /** Writes only answers with at least this status; streams that ended early are always among them (0). */
    minStatus: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(599)), 0),
    /** Writes only streams that took at least so long (0). */
    minDurationMs: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { format, json } = dataset.value;
    for (const message of checkAccessLogFormat({ format, json: json as JsonTemplate | undefined }))
      addIssue({ message });
  }),
);
export type AccessLogFilterConfig = v.InferOutput<typeof config>;

/**
 * Writes a line when a stream has ended, as the listener's `accessLog` does, with conditions and per route: a route may
 * have another format or file, take samples only, or write nothing (`access-log: false`).
 *
 * @example
 * filters: [{ name: access-log, config: { path: /var/log/heddle/slow.log, minDurationMs: 1000, format: envoy } }]
 */
export const accessLog: StreamFilterDefinition<AccessLogFilterConfig> = {
  name: 'access-log',
  stage: 'afterRoute',
  config,
  create(own, context) {
    const { random, metrics } = context;
    const configs = new RouteConfigs(context.slot, own, (each: AccessLogFilterConfig) => ({
      ...each,
      log: createAccessLog(
        { path: each.path, format: each.format, json: each.json as JsonTemplate | undefined },
        context,
      ),
    }));
    const written = filterCounter(context, 'access-log', 'written');
    return shapeHooks({
      onStreamEnd(s) {
        const rule = configs.of(s);
        if (rule === null || !isWanted(s, rule)) return;
        if (rule.samplePercent < 100 && random.next() * 100 >= rule.samplePercent) return;
        (rule.log as AccessLog).write(s);
        countOne(metrics, written);
      },
    });
  },
};

function isWanted(s: Stream, rule: AccessLogFilterConfig): boolean {
  if (s.res.status < rule.minStatus && s.code === 0) return false;
  return s.endMs - s.startMs >= rule.minDurationMs;
}
