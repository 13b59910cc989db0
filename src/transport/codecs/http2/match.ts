import { Match } from '../../../core/contract/codec.ts';
import { preface } from './constants.ts';

/** The client's connection preface: prior knowledge of h2c, or h2 behind TLS (RFC 9113 §3.3, §3.4). */
export function match(buf: Buffer, start: number, end: number): Match {
  for (let i = 0; i < preface.length; i++) {
    if (start + i === end) return Match.more;
    if (buf[start + i] !== preface[i]) return Match.no;
  }
  return Match.yes;
}
