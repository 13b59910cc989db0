import { factsOf } from '../../../core/base/codes.ts';
import { refusalFacts } from './refusals.ts';
import { reasonOf } from './status.ts';

/** The Date of local answers (RFC 9110 §6.6.1), formatted at most once a second: `toUTCString` costs 0.5 us. */
export class DateText {
  #second = -1;
  #text = '';

  at(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}

/** The whole answer to bytes that were refused, as one block; the connection closes after it. */
export function refusalAnswer(refusal: number, date: string): Buffer {
  const { status, code, detail } = refusalFacts(refusal);
  const body = `${factsOf(code).name}: ${detail}\n`;
  const head = [
    `HTTP/1.1 ${status} ${reasonOf(status)}`,
    'content-type: text/plain',
    `content-length: ${body.length}`,
    'connection: close',
    `date: ${date}`,
    `x-heddle-error: ${factsOf(code).name}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
