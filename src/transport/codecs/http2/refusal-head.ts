import { Code, factsOf } from '../../../core/base/codes.ts';
import { grpcStatusOfCode } from '../../../core/base/grpc-status.ts';
import { HeadView } from '../../../core/base/head-view.ts';

const codes: ReadonlyMap<number, number> = new Map([
  [408, Code.requestTimeout],
  [413, Code.payloadTooLarge],
  [414, Code.uriTooLong],
  [431, Code.headersTooLarge],
]);

/** Why a request is answered with that status before the core has heard of it. */
export const codeOfRefusal = (status: number): number => codes.get(status) ?? Code.downstreamProtocol;

/** The whole answer, without its date. Callers of gRPC are told in their own words: a status and nothing else (Trailers-Only). */
export function refusalHead(status: number, isGrpc: boolean): HeadView {
  const code = codeOfRefusal(status);
  const reason = factsOf(code).name;
  const head = new HeadView();
  head.status = isGrpc ? 200 : status;
  if (isGrpc) {
    head.add('content-type', 'application/grpc');
    head.add('grpc-status', String(grpcStatusOfCode(code)));
    head.add('grpc-message', reason);
  }
  head.add('x-heddle-error', reason);
  return head;
}
