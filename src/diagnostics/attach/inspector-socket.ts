import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/**
 * Text messages with the inspector of a Node.js process (RFC 6455, as far as that server speaks it: whole messages in
 * one frame, no extensions). Node's own `fetch` and `WebSocket` load 60 ms of code, 280 ms on a busy machine, while
 * the process to be watched is in trouble; this takes 3 ms.
 */
export interface InspectorSocket {
  send(text: string): void;
  onMessage(receive: (text: string) => void): void;
  onClose(closed: () => void): void;
  close(): void;
}

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
/** An answer holds one value of ours; more than this is not an answer. */
const maxMessageBytes = 16 * 1024 * 1024;
const maxHeadBytes = 64 * 1024;

/**
 * Connects to the inspector that listens on a port of 127.0.0.1.
 * @throws Error that says what was answered instead, or that nothing was in time.
 */
export async function connectInspector(port: number, signal: AbortSignal): Promise<InspectorSocket> {
  const { webSocketDebuggerUrl } = await findTarget(port, signal);
  if (webSocketDebuggerUrl === undefined) throw new Error('somebody else is connected to it');
  const { pathname } = new URL(webSocketDebuggerUrl);
  const key = randomBytes(16).toString('base64');
  const upgrade = `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n`;
  const socket = await request(port, pathname, upgrade, signal);
  const { head, rest } = await readHead(socket, signal);
  if (!/^HTTP\/1\.[01] 101 /.test(head)) {
    socket.destroy();
    throw new Error(`it answered "${head.split('\r\n')[0]}"`);
  }
  return createSocket(socket, rest);
}

async function findTarget(
  port: number,
  signal: AbortSignal,
): Promise<{ readonly webSocketDebuggerUrl?: string }> {
  const socket = await request(port, '/json/list', 'connection: close\r\n', signal);
  try {
    const { head, rest } = await readHead(socket, signal);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const body = await readBytes(socket, rest, Math.min(length, maxHeadBytes), signal);
    const [target = {}] = JSON.parse(body.toString('utf8')) as { readonly webSocketDebuggerUrl?: string }[];
    return target;
  } finally {
    socket.destroy();
  }
}

function request(port: number, path: string, headers: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${headers}\r\n`);
      resolve(socket);
    });
  });
}

async function readHead(
  socket: Socket,
  signal: AbortSignal,
): Promise<{ readonly head: string; readonly rest: Buffer }> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0) return { head: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + 4) };
    if (bytes.length > maxHeadBytes) throw new Error('it answered no HTTP');
    bytes = await readBytes(socket, bytes, bytes.length + 1, signal);
  }
}

/** What is there and what comes, until it is `length` bytes or more. */
async function readBytes(
  socket: Socket,
  begun: Buffer,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  let bytes = begun;
  while (bytes.length < length) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) bytes = Buffer.concat([bytes, chunk]);
    else await readable(socket, signal);
  }
  return bytes;
}

function readable(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off('readable', ready).off('close', closed);
      signal.removeEventListener('abort', late);
      if (error === undefined) resolve();
      else reject(error);
    };
    const ready = (): void => settle();
    const closed = (): void => settle(new Error('it closed the connection'));
    const late = (): void => settle(new Error('no answer in time'));
    if (socket.closed) return closed();
    if (signal.aborted) return late();
    socket.once('readable', ready).once('close', closed);
    signal.addEventListener('abort', late);
  });
}

function createSocket(socket: Socket, begun: Buffer): InspectorSocket {
  let receive: (text: string) => void = () => {};
  let closed: () => void = () => {};
  let bytes = begun;
  const read = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let frame = parseFrame(bytes); frame !== undefined; frame = parseFrame(bytes)) {
      bytes = bytes.subarray(frame.end);
      if (frame.opcode === opcodes.text) receive(frame.payload.toString('utf8'));
      else if (frame.opcode === opcodes.ping) socket.write(encodeFrame(opcodes.pong, frame.payload));
      else if (frame.opcode === opcodes.close) socket.end();
    }
    if (bytes.length > maxMessageBytes) socket.destroy();
  };
  socket.on('data', read);
  socket.on('close', () => closed());
  socket.resume();
  return {
    send: (text) => {
      if (!socket.destroyed) socket.write(encodeFrame(opcodes.text, Buffer.from(text)));
    },
    onMessage: (listener) => {
      receive = listener;
    },
    onClose: (listener) => {
      closed = listener;
      if (socket.closed) closed();
    },
    close: () => {
      socket.destroySoon();
    },
  };
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Where the next frame begins. */
  readonly end: number;
}

/** The first frame, if it is complete. A server does not mask (section 5.1). */
function parseFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes.readUInt8(0) & 0x0f;
  const short = bytes.readUInt8(1) & 0x7f;
  const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < headBytes) return undefined;
  const length =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const end = headBytes + length;
  return bytes.length < end ? undefined : { opcode, payload: bytes.subarray(headBytes, end), end };
}

function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  if (length < 126) head.writeUInt8(0x80 | length, 1);
  else if (length < 65_536) {
    head.writeUInt8(0x80 | 126, 1);
    head.writeUInt16BE(length, 2);
  } else {
    head.writeUInt8(0x80 | 127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let index = 0; index < length; index++) masked[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return Buffer.concat([head, mask, masked]);
}
