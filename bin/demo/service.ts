import { createServer } from 'node:http';

/**
 * A sample service of the demo: `service.ts NAME` listens on a free loopback port, tells it to its parent, answers with
 * its name, and finishes what runs on SIGTERM. Every twentieth answer takes 20 ms longer, so that p99 shows something.
 */
const name = process.argv[2] ?? 'service';
let served = 0;

const server = createServer((request, response) => {
  const answer = (): void => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-instance': name });
    response.end(JSON.stringify({ instance: name, path: request.url, served }));
  };
  served++;
  request.resume();
  if (served % 20 === 0) setTimeout(answer, 20);
  else answer();
});
server.keepAliveTimeout = 60_000;

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.({ name, port: address.port });
});

const stop = (): void => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
};
process.on('SIGTERM', stop);
process.on('disconnect', stop);
