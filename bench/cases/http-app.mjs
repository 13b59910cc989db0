// An ordinary HTTP service for the monitor's overhead: some JSON, some strings, 1 KB out. Prints its port.
import http from 'node:http';

const rows = Array.from({ length: 12 }, (_, index) => ({
  id: index,
  name: `row ${index}`,
  tags: ['a', 'b'],
}));
const server = http.createServer((request, response) => {
  const text = JSON.stringify({ path: request.url, rows: rows.map((row) => ({ ...row, at: row.id * 2 })) });
  // The load generator wants exactly 1 KiB.
  const body = text.slice(0, 1024).padEnd(1024);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${server.address().port}\n`));
