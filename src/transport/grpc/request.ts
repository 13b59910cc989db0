import { formatGrpcTimeout } from '../../core/base/grpc-timeout.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import { headerField } from '../../core/base/header-field.ts';
import { type MetadataInit, writeMetadata } from './metadata.ts';

const fixed = [
  headerField('content-type', 'application/grpc'),
  headerField('te', 'trailers'),
  headerField('grpc-accept-encoding', 'identity'),
  headerField('user-agent', 'grpc-node-heddle'),
];

/**
 * Fills the head of a call (gRPC over HTTP/2, "Requests").
 *
 * @param path "/package.Service/Method"
 * @param timeoutMs 0 = none
 * @throws HeddleError ERR_HEADER_INVALID, ERR_REQUEST_INVALID
 */
export function writeRequestHead(
  head: HeadView,
  path: string,
  authority: string,
  timeoutMs: number,
  metadata: MetadataInit,
): void {
  head.methodText = 'POST';
  head.path = path;
  head.authority = authority;
  head.chunked = true;
  for (const field of fixed) head.addField(field);
  if (timeoutMs > 0) head.add('grpc-timeout', formatGrpcTimeout(timeoutMs));
  writeMetadata(head, metadata);
}
