import { headerField } from '../../../core/base/header-field.ts';
import type { Codec } from '../../../core/contract/codec.ts';
import { Http2Client } from './client.ts';
import { Http2Config } from './config.ts';
import { match } from './match.ts';
import { Http2Server } from './server.ts';

export { Http2Config } from './config.ts';

const textPlain = headerField('content-type', 'text/plain');

/** HTTP/2 (RFC 9113, RFC 7541, RFC 8441): h2c by prior knowledge, h2 behind TLS. */
export const http2: Codec<Http2Config> = {
  name: 'http2',
  alpn: ['h2'],
  poolMode: 'multiplex',
  maxConcurrent: 100,
  config: Http2Config,
  match,
  server: (wire, context, owner, config) => new Http2Server(wire, context, owner, config),
  client: (wire, context, owner, config) => new Http2Client(wire, context, owner, config),
  hijack(head, status, body) {
    head.status = status;
    head.contentLength = Buffer.byteLength(body);
    if (body !== '') head.addField(textPlain);
  },
  statusOf: (head) => head.status,
};
