/** Answers every request with 1 KiB over TLS: `tls-backend.ts DIRECTORY` (key.pem, cert.pem) prints its port. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const [directory = ''] = process.argv.slice(2);
const pem = (name: string): Buffer => readFileSync(join(directory, name));
const body = Buffer.alloc(1024, 'x');
const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
const server = createServer({ key: pem('key.pem'), cert: pem('cert.pem') }, (request, response) => {
  request.resume();
  response.writeHead(200, headers);
  response.end(body);
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
