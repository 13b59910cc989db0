// A Bolt proxy as it is written first: every frame decoded into objects, looked up in a Map, encoded again, one write each.
import { connect, createServer } from 'node:net';

const [port, backendPort] = process.argv.slice(2).map(Number);
const upstreams = [];
const waiting = new Map();
let nextId = 1;
let turn = 0;

function decode(bytes) {
  const isResponse = bytes[1] === 0;
  const fixed = isResponse ? 20 : 22;
  if (bytes.length < fixed) return null;
  const classBytes = bytes.readUInt16BE(fixed - 8);
  const headerBytes = bytes.readUInt16BE(fixed - 6);
  const contentBytes = bytes.readUInt32BE(fixed - 4);
  const size = fixed + classBytes + headerBytes + contentBytes;
  if (bytes.length < size) return null;
  const headers = {};
  for (let at = fixed + classBytes; at < fixed + classBytes + headerBytes; ) {
    const keyBytes = bytes.readInt32BE(at);
    const key = bytes.toString('utf8', at + 4, at + 4 + keyBytes);
    at += 4 + keyBytes;
    const valueBytes = bytes.readInt32BE(at);
    headers[key] = bytes.toString('utf8', at + 4, at + 4 + valueBytes);
    at += 4 + valueBytes;
  }
  return {
    size,
    isResponse,
    type: bytes[1],
    command: bytes.readUInt16BE(2),
    id: bytes.readUInt32BE(5),
    codec: bytes[9],
    word: isResponse ? bytes.readUInt16BE(10) : bytes.readInt32BE(10),
    className: bytes.toString('latin1', fixed, fixed + classBytes),
    headers,
    content: bytes.subarray(size - contentBytes, size),
  };
}

function encode(message, id) {
  const pairs = [];
  for (const [key, value] of Object.entries(message.headers)) {
    for (const text of [key, value]) {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes.length);
      pairs.push(length, bytes);
    }
  }
  const map = Buffer.concat(pairs);
  const name = Buffer.from(message.className);
  const head = Buffer.alloc(message.isResponse ? 20 : 22);
  head[0] = 1;
  head[1] = message.type;
  head.writeUInt16BE(message.command, 2);
  head[4] = 1;
  head.writeUInt32BE(id, 5);
  head[9] = message.codec;
  if (message.isResponse) head.writeUInt16BE(message.word, 10);
  else head.writeInt32BE(message.word, 10);
  head.writeUInt16BE(name.length, head.length - 8);
  head.writeUInt16BE(map.length, head.length - 6);
  head.writeUInt32BE(message.content.length, head.length - 4);
  return Buffer.concat([head, name, map, message.content]);
}

function reader(onMessage) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let message = decode(rest); message !== null; message = rest.length === 0 ? null : decode(rest)) {
      rest = rest.subarray(message.size);
      onMessage(message);
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
