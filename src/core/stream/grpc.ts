import { Code, factsOf } from '../base/codes.ts';
import { encodeGrpcMessage } from '../base/grpc-message.ts';
import { GrpcStatus, grpcStatusOfCode, grpcStatusOfHttp, readGrpcStatus } from '../base/grpc-status.ts';
import { formatGrpcTimeout } from '../base/grpc-timeout.ts';
import { HeadView } from '../base/head-view.ts';
import { headerField } from '../base/header-field.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';

const contentType = headerField('content-type', 'application/grpc');
const maxMessageBytes = 1024;

/** The route is known: its longest deadline holds for callers that wait longer or for ever, and upstreams are told. */
export function capGrpcDeadline(s: Stream, route: Route): void {
  const capMs = s.startMs + route.grpcTimeoutMaxMs;
  if (s.callDeadlineMs > 0 && s.callDeadlineMs <= capMs) return;
  s.callDeadlineMs = s.routeDeadlineMs = capMs;
  s.req.set('grpc-timeout', formatGrpcTimeout(route.grpcTimeoutMaxMs));
}

/**
 * Makes the local answer in `s.res` and `s.responseBody` one of gRPC: its status and text become `grpc-status` and
 * `grpc-message`, all in the head (Trailers-Only). `s.res.status` stays in HTTP's scale for filters, metrics and logs.
 */
export function toGrpcReply(s: Stream): void {
  const { res, responseBody } = s;
  if (!res.has('grpc-status')) {
    const status = s.code === Code.none ? statusOfReply(res.status) : grpcStatusOfCode(s.code);
    const text = responseBody.concat().toString('utf8', 0, maxMessageBytes).trim();
    res.set('grpc-status', String(status));
    if (text !== '') res.set('grpc-message', encodeGrpcMessage(text));
  }
  responseBody.clear();
  res.remove('content-length');
  res.remove('content-type');
  res.addField(contentType);
  res.contentLength = -1;
}

/** The table of gRPC for other people's answers, and two statuses that only this side gives. */
function statusOfReply(status: number): number {
  if (status === 413 || status === 431) return GrpcStatus.resourceExhausted;
  return status === 408 ? GrpcStatus.deadlineExceeded : grpcStatusOfHttp(status);
}

/** What ends an answer that has begun and cannot go on: it says more than a reset. */
export function grpcTrailers(code: number): HeadView {
  const trailers = new HeadView();
  trailers.add('grpc-status', String(grpcStatusOfCode(code)));
  trailers.add('grpc-message', factsOf(code).name);
  return trailers;
}

/** The status of an answer that is nothing but trailers; -1 while there is none. */
export function grpcStatusOfHead(s: Stream, end: boolean): number {
  if (!s.isGrpc || !end) return -1;
  const text = s.res.get('grpc-status');
  return text === null ? -1 : readGrpcStatus(text);
}
