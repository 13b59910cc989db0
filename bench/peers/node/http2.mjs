// node:http2 on both sides: four sessions to the backend, streams piped.
import { connect, constants, createServer } from 'node:http2';

const [port, backendPort] = process.argv.slice(2).map(Number);
const sessions = [];
let turn = 0;

function session() {
  const at = turn++ % 8;
  let each = sessions[at];
  if (each === undefined || each.closed || each.destroyed) {
    each = connect(`http://127.0.0.1:${backendPort}`);
    each.on('error', () => {});
    sessions[at] = each;
  }
  return each;
}

const server = createServer();
server.on('stream', (stream, headers) => {
  const up = session().request(headers);
  stream.on('error', () => up.close(constants.NGHTTP2_CANCEL));
  up.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  up.on('response', (answer) => {
    stream.respond(answer);
    up.pipe(stream);
  });
  stream.pipe(up);
});
server.on('session', (each) => each.on('error', () => {}));
server.listen(port, '127.0.0.1');
