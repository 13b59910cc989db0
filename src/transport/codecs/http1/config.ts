import * as v from 'valibot';

const count = (minimum: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(minimum));

/** Settings of the HTTP/1.1 codec; what a listener limits for every protocol stands in ServerLimits. */
export const Http1Config = v.strictObject({
  /**
   * Request header names with "_": many servers turn "-" into "_", so `x_forwarded_for` could pose as
   * `x-forwarded-for`. "reject" answers 400, "drop" removes the field.
   */
  underscoresInHeaders: v.optional(v.picklist(['reject', 'drop', 'allow']), 'reject'),
  /** Bytes above 0x7F in request header values (RFC 9110 obs-text); answers may always have them. */
  allowObsText: v.optional(v.boolean(), false),
  /** A client that sends FIN after its request still gets the answer. False: it counts as gone, as nginx and Go do. */
  allowHalfClose: v.optional(v.boolean(), false),
  /** Body bytes read and dropped after an early answer so that the connection can be used again. */
  maxDrainBytes: v.optional(count(0), 65_536),
  /** After the last answer: how long the client may take to read it before the connection is dropped. */
  lingerMs: v.optional(count(0), 2000),
  /** Status line and headers of an answer together, and how many headers. */
  response: v.optional(
    v.strictObject({
      maxHeaderBytes: v.optional(count(128), 65_536),
      maxHeaderCount: v.optional(count(1), 200),
    }),
    {},
  ),
});
export type Http1Config = v.InferOutput<typeof Http1Config>;
