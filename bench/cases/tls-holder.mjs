/** Holds TLS connections: one request on each, then nothing until `again` or `quit` on stdin. Arguments: port, count. */
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const atOnce = 32;
const request =
  'GET /api/items/1 HTTP/1.1\r\nhost: bench.test\r\naccept: */*\r\nuser-agent: bench/1.0\r\nx-tenant: tenant-7\r\n\r\n';
const sockets = [];
let errors = 0;
let firstError = '';

function fail(error) {
  errors++;
  firstError ||= String(error);
}

function open() {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(socket));
    socket.once('error', (error) => {
      fail(error);
      resolve(null);
    });
  });
}

/** Resolves once the whole answer is there. */
function ask(socket) {
  return new Promise((resolve) => {
    let text = '';
    const done = (isAnswered) => {
      socket.off('data', read);
      socket.off('close', lost);
      resolve(isAnswered);
    };
    const read = (chunk) => {
      text += chunk.toString('latin1');
      const blank = text.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (blank < 0 || text.length < blank + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) fail(text.slice(0, 40));
      done(true);
    };
    const lost = () => {
      fail('closed');
      done(false);
    };
    socket.on('data', read);
    socket.once('close', lost);
    socket.write(request);
  });
}

async function all(work) {
  const startMs = performance.now();
  let next = 0;
  let answered = 0;
  const run = async () => {
    while (next < count) {
      if (await work(next++)) answered++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  console.log(
    JSON.stringify({ answered, errors, firstError, seconds: (performance.now() - startMs) / 1000 }),
  );
}

await all(async (index) => {
  const socket = await open();
  if (socket === null) return false;
  sockets[index] = socket;
  return ask(socket);
});
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'quit') break;
  await all((index) => (sockets[index] === undefined ? false : ask(sockets[index])));
}
process.exit(0);
