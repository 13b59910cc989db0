/** So much of a PostgreSQL server that the example runs where there is none: no password, one answer to every query. */
import { once } from 'node:events';
import { createServer } from 'node:net';

const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value) => int32(value).subarray(2);
const text = (value) => Buffer.from(`${value}\0`);

const ready = message('Z', Buffer.from('I'));
const textType = 25;
const answer = Buffer.concat([
  message(
    'T',
    int16(1),
    text('greeting'),
    int32(0),
    int16(0),
    int32(textType),
    int16(-1),
    int32(-1),
    int16(0),
  ),
  message('D', int16(1), int32(5), Buffer.from('hello')),
  message('C', text('SELECT 1')),
  ready,
]);

export async function startStandIn() {
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    let isStarted = false;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        // The first message has no type.
        const at = isStarted ? 1 : 0;
        if (bytes.length < at + 4) return;
        const end = at + bytes.readInt32BE(at);
        if (bytes.length < end) return;
        const type = isStarted ? String.fromCharCode(bytes[0]) : '';
        bytes = bytes.subarray(end);
        if (type === 'X') socket.end();
        else socket.write(isStarted ? answer : Buffer.concat([message('R', int32(0)), ready]));
        isStarted = true;
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { address: `127.0.0.1:${server.address().port}`, close: () => server.close() };
}
