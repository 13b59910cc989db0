import { headerField } from '../../../core/base/header-field.ts';
import type { Codec } from '../../../core/contract/codec.ts';
import { Http1Client } from './client.ts';
import { Http1Config } from './config.ts';
import { match } from './match.ts';
import { Http1Server } from './server.ts';

export { Http1Config } from './config.ts';

const textPlain = headerField('content-type', 'text/plain');

/** HTTP/1.1 and HTTP/1.0 (RFC 9110, RFC 9112). */
export const http1: Codec<Http1Config> = {
  name: 'http1',
  alpn: ['http/1.1', 'http/1.0'],
  poolMode: 'pingPong',
  maxConcurrent: 1,
  config: Http1Config,
  match,
  server: (wire, context, owner, config) => new Http1Server(wire, context, owner, config),
  client: (wire, context, owner, config) => new Http1Client(wire, context, owner, config),
  hijack(head, status, body) {
    head.status = status;
    head.contentLength = Buffer.byteLength(body);
    if (body !== '') head.addField(textPlain);
  },
  statusOf: (head) => head.status,
};
