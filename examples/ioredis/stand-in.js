/** So much of a Redis server that the example runs where there is none: arrays of bulk strings in, RESP2 out. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function startStandIn() {
  const values = new Map();
  const commands = {
    SET: (key, value) => {
      values.set(key, value);
      return '+OK\r\n';
    },
    GET: (key) => bulk(values.get(key)),
    INCR: (key) => {
      const next = Number(values.get(key) ?? 0) + 1;
      values.set(key, String(next));
      return `:${next}\r\n`;
    },
    INFO: () => bulk('redis_version:7.0.0\r\nloading:0\r\n'),
    QUIT: () => '+OK\r\n',
  };
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk;
      for (let read = readCommand(text); read !== null; read = readCommand(text)) {
        text = text.slice(read.length);
        const [name, ...values] = read.words;
        const command = commands[name.toUpperCase()];
        socket.write(command === undefined ? '+OK\r\n' : command(...values));
        if (name.toUpperCase() === 'QUIT') socket.end();
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { address: `127.0.0.1:${server.address().port}`, close: () => server.close() };
}

const bulk = (value) => (value === undefined ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`);

/** The first whole command of `text`, or null. */
function readCommand(text) {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const words = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return null;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return null;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, length: at };
}
