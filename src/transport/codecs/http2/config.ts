import * as v from 'valibot';

const count = (minimum: number, maximum: number = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(minimum), v.maxValue(maximum));

/**
 * How much of what costs a peer nothing it may send in ten seconds; beyond it the connection ends with
 * ENHANCE_YOUR_CALM.
 */
const FloodLimits = v.strictObject({
  /** Streams that the peer resets, or breaks so that they are reset, if they are more than half of those it began. */
  resets: v.optional(count(1), 200),
  /** PING frames. */
  pings: v.optional(count(1), 500),
  /** SETTINGS frames. */
  settings: v.optional(count(1), 100),
  /** PRIORITY frames and frames of unknown types. */
  priorities: v.optional(count(1), 2000),
  /** WINDOW_UPDATE frames beyond ten for each DATA frame sent. */
  windowUpdates: v.optional(count(1), 2000),
  /** DATA, HEADERS and CONTINUATION frames without a byte that do not end a stream. */
  emptyFrames: v.optional(count(1), 200),
});

/** Settings of the HTTP/2 codec; what a listener limits for every protocol stands in ServerLimits. */
export const Http2Config = v.strictObject({
  /** Streams that a peer may have open at once, and that this side opens on an upstream connection. */
  maxConcurrentStreams: v.optional(count(1, 2_147_483_647), 100),
  /**
   * Body bytes of one stream that a peer may send before they were passed on. Not a round number: servers of Node end a
   * stream by RST_STREAM without END_STREAM when its last byte uses up the window.
   */
  streamWindowBytes: v.optional(count(1024, 2_147_483_647), 65_535),
  /** The same for all streams of a connection together. */
  connectionWindowBytes: v.optional(count(65_535, 2_147_483_647), 1_048_576),
  /** Table that peers may use to compress what they send here (RFC 7541 §4.2). */
  headerTableBytes: v.optional(count(0, 65_536), 4096),
  /** Strings are sent in Huffman's code: about a quarter less bytes for about half a microsecond a message more. */
  huffman: v.optional(v.boolean(), false),
  /** WebSocket and other protocols over one stream (RFC 8441): announced to clients, used where an upstream has it. */
  extendedConnect: v.optional(v.boolean(), true),
  /** As in http1: "reject" answers 400, "drop" removes the field. */
  underscoresInHeaders: v.optional(v.picklist(['reject', 'drop', 'allow']), 'reject'),
  /** Bytes above 0x7F in request header values (RFC 9110 obs-text); answers may always have them. */
  allowObsText: v.optional(v.boolean(), false),
  /** CONTINUATION frames of one header block. */
  maxContinuations: v.optional(count(1), 32),
  /** A connection with streams that brings nothing for that long gets a PING; 0 sends none. */
  keepaliveMs: v.optional(count(0, 2_147_483_647), 30_000),
  /** The time between PINGs while nothing but their answers comes: servers of gRPC take more for abuse. */
  keepaliveBackoffMs: v.optional(count(1000, 2_147_483_647), 300_000),
  /** A PING, and SETTINGS, without an answer for that long end the connection. */
  ackTimeoutMs: v.optional(count(100, 2_147_483_647), 10_000),
  /** Behind GOAWAY: how long the peer may take to read it before the connection is dropped. */
  lingerMs: v.optional(count(0, 2_147_483_647), 2000),
  floods: v.optional(FloodLimits, {}),
  /** Headers of an answer together, and how many. */
  response: v.optional(
    v.strictObject({
      maxHeaderBytes: v.optional(count(128, 16_777_216), 65_536),
      maxHeaderCount: v.optional(count(1), 200),
    }),
    {},
  ),
});
export type Http2Config = v.InferOutput<typeof Http2Config>;
