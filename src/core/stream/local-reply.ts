import { Code, codeFacts, factsOf } from '../base/codes.ts';
import { messageOf } from '../base/errors.ts';
import { type HeaderField, headerField } from '../base/header-field.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamFilter } from '../contract/stream-filter.ts';
import { setContentLength } from './content-length.ts';
import { nameOfFilter } from './filter-chain.ts';
import { grpcTrailers, toGrpcReply } from './grpc.ts';
import { finish } from './log.ts';
import type { StreamProxy } from './proxy.ts';
import { cancelUpstream } from './upstream-end.ts';

const reasons: readonly HeaderField[] = codeFacts.map((each) => headerField('x-heddle-error', each.name));
const bodies: readonly Buffer[] = codeFacts.map((each) => Buffer.from(`${each.name}\n`));
const textPlain: HeaderField = headerField('content-type', 'text/plain');

/** Ends the stream with the answer that its code stands for, or by a reset where no answer is possible any more. */
export function failStream(p: StreamProxy, s: Stream, code: number): void {
  const facts = factsOf(code);
  if (s.code === Code.none) s.code = code;
  if (s.isGrpc && s.responseStarted && !s.isLocalReply && facts.status !== 0 && s.down !== null) {
    endGrpc(p, s, code);
    return;
  }
  if (s.responseStarted || facts.status === 0 || s.isLocalReply) {
    resetDownstream(p, s, code);
    return;
  }
  s.phase = Phase.failStream;
  s.res.reset();
  s.res.status = facts.status;
  s.res.addField(reasons[code] as HeaderField);
  s.res.addField(textPlain);
  s.responseBody.clear();
  s.responseBody.push(bodies[code] as Buffer);
  localReply(p, s);
}

/**
 * Sends the answer that stands in `s.res` and `s.responseBody`; whatever went on upstream is cancelled.
 *
 * @param firstFilter of those that see the head of an answer: an answer in the place of a local one goes on behind the
 * filter that gave it, so each filter is asked twice at most
 */
export function localReply(p: StreamProxy, s: Stream, firstFilter = 0): void {
  s.isLocalReply = true;
  s.isStopped = s.isResponseStopped = false;
  s.requestBody.isStopped = s.requestBody.isBuffering = false;
  cancelUpstream(s, Code.locallyClosed);
  s.firstBuf = null;
  s.responseDone = true;
  s.responseOwned = true;
  const status = s.res.status;
  if (s.isGrpc) toGrpcReply(s);
  else if (status >= 200 && status !== 204 && status !== 304)
    setContentLength(s.res, s.responseBody.sizeBytes);
  s.responseBytes = s.responseBody.sizeBytes;
  s.responseFilterIndex = firstFilter;
  p.filterResponse(s, null, 0, 0, true);
}

/** What of the answer waits here is dropped: a status follows what has left. */
function endGrpc(p: StreamProxy, s: Stream, code: number): void {
  s.phase = Phase.failStream;
  cancelUpstream(s, code);
  s.isResponseStopped = false;
  s.responseBody.clear();
  p.responseTrailers(s, grpcTrailers(code));
}

/** Ends the stream without an answer, or in the middle of one. */
export function resetDownstream(p: StreamProxy, s: Stream, code: number): void {
  if (s.code === Code.none) s.code = code;
  s.phase = Phase.reset;
  const down = s.down;
  s.down = null;
  (p.context.metrics.values[(s.pipeline as Pipeline).slots.resets] as number)++;
  down?.reset(s, code);
  finish(p, s);
}

/** A filter threw or rejected: fail closed. */
export function filterFailed(p: StreamProxy, s: Stream, filter: StreamFilter, thrown: unknown): void {
  const chain = (s.pipeline as Pipeline).filters;
  p.context.logger.error('a stream filter failed', {
    filter: nameOfFilter(chain, filter),
    listener: (s.pipeline as Pipeline).name,
    error: messageOf(thrown),
  });
  failStream(p, s, Code.filterFailed);
}
