import * as v from 'valibot';

const url = v.pipe(v.string(), v.url());
const headers = v.optional(v.record(v.string(), v.string()), {});
const timeoutMs = v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(120_000)), 10_000);

/** Sinks that can be written as data; a callback is given to `createMonitor` as a function. */
export const sinkConfigSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('directory'),
    path: v.pipe(v.string(), v.minLength(1)),
  }),
  v.strictObject({
    type: v.literal('http'),
    url,
    /** `holmes` posts the multipart form of holmes' HTTP reporter, `webhook` the capture's JSON page. */
    shape: v.optional(v.picklist(['holmes', 'webhook']), 'webhook'),
    token: v.optional(v.string()),
    headers,
    timeoutMs,
  }),
  v.strictObject({
    type: v.literal('pyroscope'),
    url,
    /** `app` or `app{tag=value}`. @default the service */
    application: v.optional(v.string()),
    authToken: v.optional(v.string()),
    tenantId: v.optional(v.string()),
    headers,
    timeoutMs,
  }),
  v.strictObject({ type: v.literal('otlp'), url, headers, timeoutMs }),
  v.strictObject({
    type: v.literal('command'),
    /** Run without a shell; `{verdict}`, `{directory}`, `{id}`, `{rule}` and `{cause}` are filled in. */
    command: v.pipe(v.array(v.string()), v.minLength(1)),
    timeoutMs,
  }),
]);

export type SinkConfig = v.InferOutput<typeof sinkConfigSchema>;
