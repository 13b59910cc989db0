import { connect } from 'node:net';
import { within } from '../../mesh/support.ts';
import type { Asked } from './requests.ts';

/** What an upstream was asked, as it tells it in its answer. */
export interface Seen {
  readonly upstream: string;
  readonly method: string;
  readonly url: string;
  /** Names in lower case, repeated ones joined by ",". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back. */
export interface Answered {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Null: the answer is not an upstream's. */
  readonly seen: Seen | null;
}

/** Sends one request on a connection of its own, byte for byte as it stands. */
export async function answerTo(address: string, asked: Asked): Promise<Answered> {
  const port = Number(address.split(':').at(-1));
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const event of ['end', 'close', 'error']) socket.once(event, () => resolve());
  });
  socket.write(requestText(asked), 'latin1');
  try {
    await within(closed, `an answer to ${asked.name}`);
  } finally {
    socket.destroy();
  }
  return parse(Buffer.concat(chunks).toString('latin1'));
}

function requestText({ method, path, host, headers, body }: Asked): string {
  const hasBody = body !== '' || headers.some(([name]) => name === 'content-type');
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(hasBody ? [`content-length: ${body.length}`] : []),
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function parse(text: string): Answered {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: text, seen: null };
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  const raw = text.slice(end + 4);
  const body = headers['transfer-encoding'] === 'chunked' ? dechunk(raw) : raw;
  const told = headers['x-seen'];
  const seen = told === undefined ? null : (JSON.parse(Buffer.from(told, 'base64').toString()) as Seen);
  return { status: Number(statusLine.split(' ')[1]), headers, body, seen };
}

function dechunk(raw: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.slice(at, end), 16);
    if (end < 0 || !(size > 0)) return body;
    body += raw.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
