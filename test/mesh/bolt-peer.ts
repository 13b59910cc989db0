import { connect, type Socket } from 'node:net';
import { boltProtocol } from '../../src/transport/codecs/bolt/index.ts';
import { type FrameFacts, frame } from '../transport/codecs/bolt/frames.ts';
import { type TcpUpstream, type Teardown, tcpUpstream, within } from './support.ts';

/** A frame as a test looks at it. */
export interface Seen {
  readonly bytes: Buffer;
  readonly id: number;
  readonly type: number;
  readonly command: number;
  /** Status of a response. */
  readonly status: number;
  readonly text: string;
}

function seen(bytes: Buffer): Seen {
  const shift = bytes[0] === 1 ? 0 : 1;
  return {
    bytes,
    id: bytes.readUInt32BE(5 + shift),
    type: bytes[1 + shift] as number,
    command: bytes.readUInt16BE(2 + shift),
    status: bytes.readUInt16BE(10 + 2 * shift),
    text: bytes.toString('latin1'),
  };
}

/** Calls back for each whole frame. */
function onFrames(socket: Socket, run: (frame: Seen) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      const size = boltProtocol.sizeOf(rest, 0, rest.length);
      if (size < 0) {
        // The port may have been another test's a moment ago, and whoever dials it speaks another protocol.
        socket.destroy();
        return;
      }
      if (size === 0 || size > rest.length) return;
      const bytes = rest.subarray(0, size);
      rest = rest.subarray(size);
      run(seen(bytes));
    }
  });
}

/** A server that gives each request to `answer`; what that returns goes back, null is silence. */
export function boltServer(
  t: Teardown,
  answer: (request: Seen, socket: Socket) => FrameFacts | null = () => ({}),
): Promise<TcpUpstream & { readonly requests: Seen[] }> {
  const requests: Seen[] = [];
  return tcpUpstream(t, (socket) => {
    socket.on('end', () => socket.end());
    onFrames(socket, (request) => {
      if (request.command === 0) {
        socket.write(frame({ type: 0, command: 0, id: request.id }));
        return;
      }
      requests.push(request);
      const facts = answer(request, socket);
      if (facts !== null) socket.write(frame({ type: 0, id: request.id, ...facts }));
    });
  }).then((upstream) => ({ ...upstream, requests }));
}

/** A client that counts its answers. */
export class BoltPeer {
  readonly socket: Socket;
  readonly answers: Seen[] = [];
  readonly #waiting = new Map<number, (answer: Seen) => void>();
  #nextId = 1000;

  constructor(t: Teardown, address: string, localAddress = '127.0.0.1') {
    const [host, port] = address.split(':') as [string, string];
    this.socket = connect({ host, port: Number(port), noDelay: true, localAddress });
    this.socket.on('error', () => {});
    t.teardown(() => this.socket.destroy());
    onFrames(this.socket, (answer) => {
      this.answers.push(answer);
      this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** Sends a request; resolves with its answer. */
  call(facts: FrameFacts = {}): Promise<Seen> {
    const id = facts.id ?? this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Seen>();
    this.#waiting.set(id, resolve);
    this.socket.write(frame({ headers: { service: 'demo.Hello:1.0' }, ...facts, id }));
    return within(promise, `an answer to ${id}`);
  }
}
