import { connect, type Socket } from 'node:net';
import { dubboProtocol } from '../../src/transport/codecs/dubbo/protocol.ts';
import { HessianWriter } from '../../src/transport/codecs/hessian/writer.ts';
import { type TcpUpstream, type Teardown, tcpUpstream, within } from './support.ts';

/** A frame as a test looks at it. */
export interface Seen {
  readonly bytes: Buffer;
  readonly id: number;
  readonly flag: number;
  readonly status: number;
  readonly text: string;
}

export interface CallFacts {
  readonly service?: string;
  readonly method?: string;
  readonly version?: string;
  readonly attachments?: Readonly<Record<string, string>>;
  readonly flag?: number;
  readonly id?: number;
  /** Instead of words and attachments. */
  readonly body?: Buffer;
}

export function dubboFrame(flag: number, status: number, id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.set([0xda, 0xbb, flag, status]);
  header.writeUInt32BE(id, 8);
  header.writeInt32BE(body.length, 12);
  return Buffer.concat([header, body]);
}

/** A call without arguments. */
export function callFrame(facts: CallFacts): Buffer {
  const { service = 'com.acme.Demo', method = 'say', version = '1.0.0', attachments = {} } = facts;
  const writer = new HessianWriter()
    .string('2.0.2')
    .string(service)
    .string(version)
    .string(method)
    .string('');
  const body = facts.body ?? writer.map({ path: service, ...attachments }).bytes();
  return dubboFrame(facts.flag ?? 0xc2, 0, facts.id ?? 1, body);
}

export const valueBody = (text: string): Buffer => new HessianWriter().int(1).string(text).bytes();

/** Calls back for each whole frame. */
function onFrames(socket: Socket, run: (frame: Seen) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      const size = dubboProtocol.sizeOf(rest, 0, rest.length);
      if (size < 0) {
        // The port may have been another test's a moment ago, and whoever dials it speaks another protocol.
        socket.destroy();
        return;
      }
      if (size === 0 || size > rest.length) return;
      const bytes = rest.subarray(0, size);
      rest = rest.subarray(size);
      run({
        bytes,
        id: bytes.readUInt32BE(8),
        flag: bytes[2] as number,
        status: bytes[3] as number,
        text: bytes.toString('latin1', 16),
      });
    }
  });
}

/** A server that gives each request to `answer`; the value that it returns goes back, null is silence. */
export async function dubboServer(
  t: Teardown,
  answer: (request: Seen, socket: Socket) => string | null = () => 'hi',
): Promise<TcpUpstream & { readonly requests: Seen[]; readonly events: Seen[] }> {
  const requests: Seen[] = [];
  const events: Seen[] = [];
  const upstream = await tcpUpstream(t, (socket) => {
    socket.on('end', () => socket.end());
    onFrames(socket, (frame) => {
      if ((frame.flag & 0x20) !== 0) {
        events.push(frame);
        return;
      }
      requests.push(frame);
      const value = answer(frame, socket);
      const body = value === null ? null : valueBody(value);
      if (body !== null) socket.write(dubboFrame(frame.flag & 0x1f, 20, frame.id, body));
    });
  });
  return { ...upstream, requests, events };
}

/** A client that keeps all that it gets. */
export class DubboPeer {
  readonly socket: Socket;
  readonly answers: Seen[] = [];
  readonly events: Seen[] = [];
  isClosed = false;
  readonly #waiting = new Map<number, (answer: Seen) => void>();
  #nextId = 1000;

  constructor(t: Teardown, address: string) {
    const [host, port] = address.split(':') as [string, string];
    this.socket = connect({ host, port: Number(port), noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    t.teardown(() => this.socket.destroy());
    onFrames(this.socket, (frame) => {
      const isRequest = (frame.flag & 0x80) !== 0;
      (isRequest ? this.events : this.answers).push(frame);
      if (!isRequest) this.#waiting.get(frame.id)?.(frame);
    });
  }

  /** Sends a request or an event; resolves with its answer. */
  call(facts: CallFacts = {}): Promise<Seen> {
    const id = facts.id ?? this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Seen>();
    this.#waiting.set(id, resolve);
    this.socket.write(callFrame({ ...facts, id }));
    return within(promise, `an answer to ${id}`);
  }
}
