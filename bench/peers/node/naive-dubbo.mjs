// A Dubbo proxy as it is written first: every body decoded into objects, looked up in a Map, encoded again, one write each.
import { connect, createServer } from 'node:net';
import hessian from 'hessian.js';

const [port, backendPort] = process.argv.slice(2).map(Number);
const upstreams = [];
const waiting = new Map();
let nextId = 1;
let turn = 0;

function decode(bytes) {
  if (bytes.length < 16) return null;
  const size = 16 + bytes.readInt32BE(12);
  if (bytes.length < size) return null;
  const flag = bytes[2];
  const message = { size, flag, status: bytes[3], id: bytes.readUInt32BE(8), values: [] };
  if ((flag & 0x20) !== 0) return message;
  const decoder = new hessian.DecoderV2(bytes.subarray(16, size));
  // Version, path, version, method, descriptor, one argument, attachments; or result, value, attachments.
  const count = (flag & 0x80) === 0 ? 3 : 7;
  for (let i = 0; i < count; i++) message.values.push(decoder.read());
  return message;
}

function encode(message, id) {
  const encoder = new hessian.EncoderV2();
  for (const value of message.values) encoder.write(value);
  const body = encoder.get();
  const head = Buffer.alloc(16);
  head.writeUInt16BE(0xdabb, 0);
  head[2] = message.flag;
  head[3] = message.status;
  head.writeUInt32BE(id, 8);
  head.writeInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

function reader(onMessage) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let message = decode(rest); message !== null; message = rest.length === 0 ? null : decode(rest)) {
      rest = rest.subarray(message.size);
      if ((message.flag & 0x20) === 0) onMessage(message);
    }
  };
}

for (let i = 0; i < 4; i++) {
  const upstream = connect({ port: backendPort, host: '127.0.0.1', noDelay: true });
  upstream.on(
    'data',
    reader((message) => {
      const asked = waiting.get(message.id);
      if (asked === undefined) return;
      waiting.delete(message.id);
      asked.socket.write(encode(message, asked.id));
    }),
  );
  upstreams.push(upstream);
}

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on(
    'data',
    reader((message) => {
      const id = nextId++;
      waiting.set(id, { socket, id: message.id });
      upstreams[turn++ % upstreams.length].write(encode(message, id));
    }),
  );
}).listen(port, '127.0.0.1');
