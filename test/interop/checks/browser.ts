import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { upstream } from '../../mesh/support.ts';
import { type Check, NotInstalled, type Scope } from '../kit/check.ts';
import { findChromium, openPage } from '../viewer/chromium.ts';

const images = 30;
const page = `<!doctype html><meta charset="utf-8"><title>heddle</title>
<link rel="stylesheet" href="/style.css"><h1>woven</h1><div id="images"></div>
<script type="module" src="/script.js"></script>`;
const script = `
const results = {};
const images = Array.from({ length: ${images} }, (_, i) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => resolve(image.naturalWidth === 2);
  image.onerror = () => resolve(false);
  image.src = '/image/' + i + '.svg';
  document.getElementById('images').append(image);
}));
results.images = (await Promise.all(images)).every(Boolean);
const posted = await fetch('/echo', { method: 'POST', body: new Uint8Array(1000000).fill(7) });
results.posted = (await posted.arrayBuffer()).byteLength;
results.socket = await new Promise((resolve) => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = (event) => resolve(event.data);
  socket.onerror = () => resolve('error');
});
let parts = '';
for await (const part of (await fetch('/slow')).body.pipeThrough(new TextDecoderStream())) parts += part;
results.stream = parts;
results.protocols = [...new Set(performance.getEntriesByType('resource').map((each) => each.nextHopProtocol))];
globalThis.results = results;
`;

const pem = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));

/** What the page found, over one protocol. @returns how many requests it made */
async function load(
  scope: Scope,
  chromium: string,
  host: string,
  listener: object,
  protocol: string,
): Promise<number> {
  const isSecure = 'tls' in listener;
  const proxy = await proxyProcess(scope, gateway(host, listener, { upgrades: ['websocket'] }));
  // The certificate is one of a test CA.
  const flags = isSecure ? ['--ignore-certificate-errors'] : [];
  const browser = await openPage(chromium, undefined, flags);
  scope.teardown(() => browser.close());
  await browser.open(`http${isSecure ? 's' : ''}://${proxy.address}/`);
  await browser.waitFor('the script', 'globalThis.results !== undefined', 60_000);
  const results = await browser.evaluate<Record<string, unknown>>('globalThis.results');
  const protocols = [protocol];
  const expected = { images: true, posted: 1_000_000, socket: 'got hello', stream: 'one two', protocols };
  assert.deepEqual(results, expected);
  const colour = await browser.evaluate<string>('getComputedStyle(document.querySelector("h1")).color');
  assert.equal(colour, 'rgb(1, 2, 3)');
  assert.deepEqual(browser.errors, []);
  return browser.requests.length;
}

export const check: Check = {
  what: 'a page with style, modules, images, uploads, a stream and a WebSocket in a real browser, over HTTP/1.1 and over HTTP/2 with TLS',
  async run(scope) {
    const chromium = findChromium();
    if (chromium === undefined) throw new NotInstalled('chromium', 'apt-get install chromium');
    const { address: host, server } = await upstream(scope, (request, response) => {
      const url = request.url ?? '/';
      const send = (type: string, body: string): void =>
        void response.writeHead(200, { 'content-type': type }).end(body);
      if (url === '/') send('text/html', page);
      else if (url === '/style.css') send('text/css', 'h1 { color: rgb(1, 2, 3) }');
      else if (url === '/script.js') send('text/javascript', script);
      else if (url === '/favicon.ico') response.writeHead(204).end();
      else if (url.startsWith('/image/')) {
        send('image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>');
      } else if (url === '/slow') {
        response.write('one ');
        setImmediate(() => response.end('two'));
      } else request.pipe(response);
    });
    const sockets = new WebSocketServer({ server, path: '/socket' });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`got ${data}`)));
    scope.teardown(() => sockets.close());
    const plain = await load(scope, chromium, host, {}, 'http/1.1');
    const tls = { certificates: [{ cert: pem('server.pem'), key: pem('server.key') }] };
    const secure = await load(scope, chromium, host, { codec: 'http2', tls }, 'h2');
    return `${plain} requests over HTTP/1.1, ${secure} over HTTP/2 and TLS, a WebSocket in each`;
  },
};
