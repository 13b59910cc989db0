import type { ServerLimits } from '../../core/contract/codec.ts';

/** For reading frames that this mesh made or took in already. */
export const ownFrames: ServerLimits = {
  maxHeaderBytes: 32_768,
  maxHeaderCount: 1000,
  maxUriBytes: 8192,
  maxBodyBytes: 0,
  idleTimeoutMs: 0,
  headerTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxRequestsPerConnection: 0,
  maxPipelined: 0,
};
