// The best that can be written by hand on Node's own HTTP: a node:http server in front of undici's dispatcher.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, backendPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${backendPort}`, { connections: 128, pipelining: 1 });
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function forwardable(rawHeaders) {
  const headers = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toString('latin1');
    if (!hopByHop.has(name.toLowerCase())) headers.push(name, rawHeaders[at + 1].toString('latin1'));
  }
  return headers;
}

class Forward {
  constructor(response) {
    this.response = response;
  }

  onRequestStart(controller) {
    this.controller = controller;
    this.response.on('close', () => {
      if (!this.response.writableFinished) controller.abort(new Error('the client went away'));
    });
    this.response.on('drain', () => controller.resume());
  }

  onResponseStart(controller, statusCode) {
    const headers = forwardable(controller.rawHeaders);
    headers.push('x-served-by', 'undici');
    this.response.writeHead(statusCode, headers);
  }

  onResponseData(controller, chunk) {
    if (!this.response.write(chunk)) controller.pause();
  }

  onResponseEnd() {
    this.response.end();
  }

  onResponseError() {
    if (this.response.headersSent) this.response.destroy();
    else this.response.writeHead(502).end();
  }
}

const server = createServer((request, response) => {
  const headers = forwardable(request.rawHeaders);
  headers.push('x-forwarded-for', request.socket.remoteAddress, 'x-forwarded-proto', 'http');
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : request;
  pool.dispatch({ path: request.url, method: request.method, headers, body }, new Forward(response));
});
server.keepAliveTimeout = 600_000;
server.listen(port, '127.0.0.1');
