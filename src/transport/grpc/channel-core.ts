import { Code } from '../../core/base/codes.ts';
import { GrpcStatus } from '../../core/base/grpc-status.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import { Stream, type StreamCore } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import type { ChannelStream } from './channel-stream.ts';

/** Where a stream keeps its call: streams of a channel pass no filters. */
const slot = 0;
const callOf = (s: Stream): ChannelStream => s.attributes[slot] as ChannelStream;

/** Brings what connections of a channel deliver to the calls. Channels send requests: those never come. */
export class ChannelCore implements StreamCore {
  begin(s: Stream, call: ChannelStream): void {
    s.attributes[slot] = call;
  }

  acquire(): Stream {
    return new Stream(this);
  }

  release(): void {}
  requestHead(): void {}
  requestData(): void {}
  requestTrailers(): void {}
  downstreamReset(): void {}
  responseInformational(): void {}
  resume(): void {}
  reply(): void {}

  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const call = callOf(s);
    call.answered();
    if (end) call.done();
    call.exchange.head(s.res, buf, a, b, end, s.responseOwned);
  }

  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const call = callOf(s);
    if (end) call.done();
    call.exchange.data(buf, a, b, end, s.responseOwned);
  }

  responseTrailers(s: Stream, trailers: HeadView): void {
    const call = callOf(s);
    call.done();
    call.exchange.trailers(trailers);
  }

  upstreamReset(s: Stream, code: number): void {
    callOf(s).lost(code);
  }

  writable(s: Stream): void {
    callOf(s).exchange.writable();
  }

  upstreamReady(s: Stream, end: StreamEnd): void {
    callOf(s).ready(end);
  }

  onStreamDeadline(s: Stream): void {
    callOf(s).exchange.cancel(Code.routeTimeout, GrpcStatus.deadlineExceeded, 'the deadline is over');
  }
}
