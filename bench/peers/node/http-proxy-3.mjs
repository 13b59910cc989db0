import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy-3';

const [port, backendPort] = process.argv.slice(2).map(Number);
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${backendPort}`,
  agent: new Agent({ keepAlive: true, maxSockets: 128 }),
  xfwd: true,
});
proxy.on('proxyRes', (_from, _request, response) => response.setHeader('x-served-by', 'http-proxy-3'));
proxy.on('error', (_error, _request, response) => response.destroy());
const server = createServer((request, response) => proxy.web(request, response));
server.keepAliveTimeout = 600_000;
server.listen(port, '127.0.0.1');
