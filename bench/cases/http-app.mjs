// An ordinary HTTP service for the monitor's overhead: it makes some JSON, then answers with the 1 KiB that the load
// generator checks (its request id, then the pattern of bench/load/http1.h). Prints its port.
import http from 'node:http';

const rows = Array.from({ length: 20 }, (_, index) => ({
  id: index,
  name: `row ${index}`,
  tags: ['a', 'b'],
}));
const pattern = Array.from({ length: 1024 }, (_, index) =>
  String.fromCharCode(97 + ((index * 7 + (index >> 8)) % 26)),
).join('');
const server = http.createServer((request, response) => {
  const page = JSON.stringify({ path: request.url, rows: rows.map((row) => ({ ...row, at: row.id * 2 })) });
  const id = request.headers['x-bench-id'] ?? '';
  response.writeHead(200, {
    'content-type': 'text/plain',
    'content-length': 1024,
    'x-page-bytes': page.length,
  });
  response.end(id + pattern.slice(id.length));
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${server.address().port}\n`));
