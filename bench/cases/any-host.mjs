// Tens of thousands of hosts in one process: whatever 127.x.y.z address is dialled, this answers. It listens on every
// address, since loopback has a whole net of them, and takes only who comes from there. Prints its port.
import net from 'node:net';

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
const server = net.createServer({ noDelay: true }, (socket) => {
  if (!/^(::ffff:)?127\./.test(socket.remoteAddress ?? '')) {
    socket.destroy();
    return;
  }
  socket.on('error', () => {});
  // A request here has no body and arrives whole, or the end of it does.
  socket.on('data', (bytes) => {
    if (bytes.subarray(-4).equals(answer.subarray(-6, -2))) socket.write(answer);
  });
});
server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 }, () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
