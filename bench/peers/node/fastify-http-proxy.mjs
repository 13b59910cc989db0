import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, backendPort] = process.argv.slice(2).map(Number);
const app = fastify({ keepAliveTimeout: 600_000 });
app.register(httpProxy, {
  upstream: `http://127.0.0.1:${backendPort}`,
  undici: { connections: 128, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': 'http',
    }),
    rewriteHeaders: (headers) => ({ ...headers, 'x-served-by': 'fastify' }),
  },
});
await app.listen({ port, host: '127.0.0.1' });
