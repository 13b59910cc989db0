/** One request through a contender before it is measured: does it answer, and does it do the work it is measured for? */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Work } from './contender.ts';
import { requestHead } from './requests.ts';

const deadlineMs = 5_000;

export interface Answer {
  readonly head: string;
  readonly body: string;
}

/** Sends one request for /echo: the body is the head that the backend received. */
export async function probe(port: number, host: string): Promise<Answer> {
  const head = requestHead(host, 0, {}, '0123456789abcdef').replace(/^GET \S+/, 'GET /echo/1');
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`no answer in ${deadlineMs} ms`)));
  try {
    await once(socket, 'connect');
    socket.write(head);
    let text = '';
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString('latin1');
      const answer = splitAnswer(text);
      if (answer !== null) return answer;
    }
    throw new Error(`the connection closed after ${text.length} bytes`);
  } finally {
    socket.destroy();
  }
}

/** Head and body once the body is complete; null before. Understands content-length and, loosely, chunks. */
export function splitAnswer(text: string): Answer | null {
  const blank = text.indexOf('\r\n\r\n');
  if (blank < 0) return null;
  const head = text.slice(0, blank);
  const body = text.slice(blank + 4);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length) ? { head, body } : null;
  return body.endsWith('0\r\n\r\n') ? { head, body } : null;
}

/** What of the promised work cannot be seen in the answer. */
export function missingWork(answer: Answer, work: Work): string[] {
  const lacks = (text: string, name: string): boolean => !text.toLowerCase().includes(`\n${name}:`);
  const problems: string[] = [];
  if (!/^HTTP\/1\.1 200\b/.test(answer.head)) problems.push(`it answered "${answer.head.split('\r\n')[0]}"`);
  for (const name of work.request ?? []) {
    if (lacks(answer.body, name)) problems.push(`the backend did not receive ${name}`);
  }
  for (const name of work.response ?? []) {
    if (lacks(answer.head, name)) problems.push(`the client did not receive ${name}`);
  }
  return problems;
}
