/**
 * What crosses between the application's thread and the mesh's worker: one message a tick and direction. It is one
 * slab with frames, alone or followed by large body pieces, all transferred:
 *
 *   slab | frame | frame | ...      frame | type, flags | id | head bytes | body bytes | head ... | body ... |
 *                                          4 words of 32 bits in host order            multiples of 4 bytes
 *   piece, piece, ...               a frame with the flag `piece` has its body there; pieces stand in the order of frames
 *
 * Streams have one number space: even ids are opened by the application (calls, tunnels), odd ones by the worker
 * (streams for handlers of the application). Either side forgets an id with the last frame of it; what comes late for
 * an id that is not known is passed over.
 */
export const FrameType = {
  /** Opens a stream: head, and body bytes that are there. */
  request: 1,
  /** Its answer. */
  response: 2,
  data: 3,
  trailers: 4,
  /** The stream is over without (the rest of) an answer: code, tries, cluster and host. */
  failed: 5,
  /** The sender gives the stream up: a code. */
  reset: 6,
  /** The receiver has room for so many more body bytes. */
  credit: 7,
  /** What a span of the application's thread has to say about the stream; comes last. */
  outcome: 8,
} as const;

export const FrameFlag = {
  end: 1,
  /** The body is the next piece of the message. */
  piece: 2,
  /** The answer is the mesh's own. */
  local: 4,
  /** The application's thread has made the trace position; an `outcome` is wanted. */
  traced: 8,
  /** The head is a whole frame of an RPC protocol: bolt, else dubbo. */
  bolt: 16,
  dubbo: 32,
} as const;

/** Bytes of a frame's own head. */
export const frameHeadBytes = 16;
/** Body bytes that one side may send before the other has granted more, per stream and direction. */
export const windowBytes = 256 * 1024;
/** Consumed bytes are granted again in portions of at least this. */
export const grantBytes = windowBytes / 4;
/** Bodies up to this are copied into the slab; longer ones are a piece of their own. */
export const inlineBytes = 16 * 1024;

export const padded = (bytes: number): number => (bytes + 3) & ~3;
