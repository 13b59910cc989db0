import { Code } from '../../../core/base/codes.ts';
import { H2Error } from './constants.ts';

/** The code of RST_STREAM towards a client for a stream that the core ends early. */
export function resetErrorOf(code: number, headSent: boolean): number {
  switch (code) {
    case Code.draining:
    case Code.meshClosed:
    case Code.upstreamRefused:
    case Code.requestOverflow:
    case Code.connectionOverflow:
    case Code.pendingOverflow:
      // Once an answer has begun, the request was processed and may not be repeated blindly.
      return headSent ? H2Error.internal : H2Error.refusedStream;
    case Code.downstreamProtocol:
      return H2Error.protocol;
    case Code.aborted:
    case Code.requestTimeout:
    case Code.routeTimeout:
    case Code.streamIdle:
    case Code.maxDuration:
      return H2Error.cancel;
    default:
      return H2Error.internal;
  }
}

/** What an upstream's RST_STREAM means to the core (RFC 9113 §7, §8.7). */
export function codeOfReset(error: number): number {
  return error === H2Error.refusedStream ? Code.upstreamRefused : Code.upstreamReset;
}
