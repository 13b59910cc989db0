import * as v from 'valibot';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const names = v.optional(v.array(v.pipe(v.string(), v.toLowerCase())), []);

export const transcodeConfig = v.strictObject({
  /** What upstreams speak: bolt | dubbo (callers speak HTTP), or http (callers speak Bolt or Dubbo). Absent: off, for routes to set. */
  to: v.optional(v.picklist(['bolt', 'dubbo', 'http'])),
  /** Interface to call ("the last but one segment of the path"). */
  service: v.optional(name),
  /** Its version (""). */
  version: v.optional(v.string(), ''),
  /** Its group; SOFARPC's unique id (""). */
  group: v.optional(v.string(), ''),
  /** Method to call (the last segment of the path). */
  method: v.optional(name),
  /** Java parameter types by method, where JSON does not show them (none). */
  argTypes: v.optional(v.record(v.string(), v.array(v.string())), {}),
  /** Dubbo's generic invocation for methods without argTypes: the provider makes its classes of plain JSON (true). */
  generic: v.optional(v.boolean(), true),
  /** Request headers that become attachments, or attachments that become headers; trace headers always do (none). */
  headers: names,
  /** Attachments of the answer that become response headers, or the other way round (none). */
  responseHeaders: names,
  /** For `to: http`: what stands before /service/method in the path (""). */
  pathPrefix: v.optional(v.string(), ''),
});
export type TranscodeConfig = v.InferOutput<typeof transcodeConfig>;
