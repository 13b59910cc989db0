import * as v from 'valibot';

const count = (minimum: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(minimum));

/** Settings that all framed RPC codecs share. */
export const framedOptions = {
  /** The largest frame that is read or written; a frame that says it is larger closes the connection. */
  maxFrameBytes: v.optional(v.pipe(count(64), v.maxValue(1_073_741_824)), 8_388_608),
  /** Requests in progress on one connection: a client beyond it is not read for a while, a pool dials another. */
  maxConcurrent: v.optional(v.pipe(count(1), v.maxValue(1_048_576)), 4096),
  /** Bytes that wait for a reader before its connection is dropped. */
  maxQueuedBytes: v.optional(count(65_536), 16_777_216),
  /** A client's connection that was silent for this long is closed; 0 = never. Heartbeats count as a sign of life. */
  idleTimeoutMs: v.optional(count(0), 90_000),
  /**
   * Clusters: tell the upstream in a first heartbeat that this is a mesh peer. Peers of Heddle then announce how long they
   * bear silence (heartbeats become rarer), and before they close (GOAWAY).
   */
  announce: v.optional(v.boolean(), false),
  /** First byte to last byte of one frame. */
  frameTimeoutMs: v.optional(count(1), 30_000),
};

/** For protocols with nothing of their own to set. */
export const FramedConfig = v.strictObject(framedOptions);
export type FramedConfig = v.InferOutput<typeof FramedConfig>;
