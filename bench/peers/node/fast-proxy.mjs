import { createServer } from 'node:http';
import fastProxy from 'fast-proxy';

const [port, backendPort] = process.argv.slice(2).map(Number);
const { proxy } = fastProxy({
  base: `http://127.0.0.1:${backendPort}`,
  undici: { connections: 128, pipelining: 1 },
});
const server = createServer((request, response) => {
  proxy(request, response, request.url, {
    rewriteRequestHeaders: (from, headers) => ({
      ...headers,
      'x-forwarded-for': from.socket.remoteAddress,
      'x-forwarded-proto': 'http',
    }),
    rewriteHeaders: (headers) => ({ ...headers, 'x-served-by': 'fast-proxy' }),
  });
});
server.keepAliveTimeout = 600_000;
server.listen(port, '127.0.0.1');
