// What Node's sockets alone cost: two reads and two writes a request, bytes passed on as they are. No proxy for HTTP in
// JavaScript that uses public API can be cheaper; where it stands against a peer bounds what any ratio can reach.
import { connect, createServer } from 'node:net';

const [port, backendPort] = process.argv.slice(2).map(Number);
const shared = Buffer.allocUnsafeSlow(65536);

const server = createServer({ noDelay: true }, (down) => {
  const up = connect({
    port: backendPort,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: shared,
      // The buffer is read into again at once: the bytes are copied.
      callback: (size, bytes) => down.write(Buffer.from(bytes.subarray(0, size))),
    },
  });
  down.on('data', (chunk) => up.write(chunk));
  down.on('error', () => up.destroy());
  up.on('error', () => down.destroy());
  down.on('close', () => up.destroy());
  up.on('close', () => down.destroy());
});
server.listen(port, '127.0.0.1');
