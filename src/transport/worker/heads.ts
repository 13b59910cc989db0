import { copyBytes, writeText } from '../../core/base/bytes.ts';
import type { FieldSource, HeadView } from '../../core/base/head-view.ts';
import { latin1 } from '../../core/base/latin1.ts';
import type { BatchWriter } from './batch-writer.ts';
import { frameHeadBytes, padded } from './frame.ts';

/**
 * A head in a frame: ten words, a table with the lengths of each field's name and value, the bytes.
 *
 *   fields | bytes | contentLength low, high | status | method | path | authority | upgrade | flags+ms | table | GET/apath users | name: value\r\n ...
 */
const fixedWords = 10;
const fixedBytes = fixedWords * 4;
const Flag = { chunked: 1, exactNames: 2 } as const;
const twoTo32 = 2 ** 32;

/**
 * Writes a head behind a frame's own head; fields that were removed are left out.
 *
 * @param at where the frame begins; the writer has room for `headRoom`
 * @param timeoutMs of the whole call, 0 = the route's; requests only
 * @returns bytes written, padded
 */
export function writeHead(writer: BatchWriter, at: number, head: HeadView, timeoutMs: number): number {
  const { buf, words } = writer;
  const first = (at + frameHeadBytes) >> 2;
  const isRequest = head.status === 0;
  const method = isRequest ? head.method : '';
  const path = isRequest ? wireText(head.path) : '';
  const authority = isRequest ? wireText(head.authority) : '';
  const table = first + fixedWords;
  const start = (table + (head.count + head.extraCount) * 2) << 2;
  let to = writeText(buf, start, method);
  to = writeText(buf, to, path);
  to = writeText(buf, to, authority);
  to = writeText(buf, to, head.upgrade);
  let word = table;
  for (let i = 0, field = 0; i < head.count; i++, field += 4) {
    const from = head.fields[field] as number;
    if (from < 0) continue;
    to = writeLine(words, word, buf, to, head.buf, head.fields, field);
    word += 2;
  }
  for (let i = 0, field = 0; i < head.extraCount; i++, field += 4) {
    const from = head.extraFields[field] as number;
    if (from < 0) continue;
    to = writeLine(words, word, buf, to, head.extra, head.extraFields, field);
    word += 2;
  }
  words[first] = (word - table) >> 1;
  // Lines of removed fields leave a gap between table and bytes.
  words[first + 1] = start - (table << 2);
  words[first + 2] = head.contentLength < 0 ? -1 : head.contentLength | 0;
  words[first + 3] = head.contentLength < 0 ? -1 : Math.floor(head.contentLength / twoTo32);
  words[first + 4] = isRequest ? 0 : head.status;
  words[first + 5] = method.length;
  words[first + 6] = path.length;
  words[first + 7] = authority.length;
  words[first + 8] = head.upgrade.length;
  const flags = (head.chunked ? Flag.chunked : 0) | (head.exactNames ? Flag.exactNames : 0);
  words[first + 9] = flags | (Math.min(timeoutMs, 0x1fffffff) << 2);
  return padded(to - at - frameHeadBytes);
}

/** Bytes that `writeHead` writes at most. */
export function headRoom(head: HeadView): number {
  head.index();
  const texts = head.status === 0 ? (head.method.length + head.path.length + head.authority.length) * 3 : 0;
  let bytes =
    fixedBytes + 4 + texts + head.upgrade.length + (head.count + head.extraCount) * 12 + head.extraLength;
  const { fields } = head;
  for (let at = 0; at < head.count * 4; at += 4) {
    const from = fields[at] as number;
    if (from < 0) continue;
    bytes += (fields[at + 1] as number) - from + (fields[at + 3] as number) - (fields[at + 2] as number);
  }
  return bytes;
}

/**
 * Fills a clean head from a frame; the fields are looked for when somebody asks for one. The head keeps the slab of the
 * message alive. @returns the time limit of the call in ms
 */
export function readHead(head: HeadView, buf: Buffer, words: Int32Array, at: number): number {
  const first = (at + frameHeadBytes) >> 2;
  const table = (first + fixedWords) << 2;
  const flagsAndMs = words[first + 9] as number;
  const low = words[first + 2] as number;
  const high = words[first + 3] as number;
  let from = table + (words[first + 1] as number);
  head.buf = buf;
  head.status = words[first + 4] as number;
  head.contentLength = high < 0 ? -1 : (low >>> 0) + high * twoTo32;
  head.chunked = (flagsAndMs & Flag.chunked) !== 0;
  head.exactNames = (flagsAndMs & Flag.exactNames) !== 0;
  if (head.status === 0) {
    head.methodStart = from;
    head.methodEnd = from += words[first + 5] as number;
    head.pathStart = from;
    head.pathEnd = from += words[first + 6] as number;
    head.authorityStart = from;
    head.authorityEnd = from += words[first + 7] as number;
  }
  const upgradeBytes = words[first + 8] as number;
  if (upgradeBytes > 0) {
    head.upgrade = latin1(buf, from, from + upgradeBytes);
    from += upgradeBytes;
  }
  head.start = head.firstEnd = head.end = from;
  // Where the table stands and how long it is, in places that nothing else of such a head uses.
  head.bodyStart = words[first] as number;
  head.bodyEnd = table;
  head.indexLater(fieldsOfFrames);
  return flagsAndMs >> 2;
}

const fieldsOfFrames: FieldSource = {
  readFields(head) {
    const { buf, fields, bodyStart: count } = head;
    let at = head.end;
    for (let i = 0, word = head.bodyEnd; i < count; i++, word += 8) {
      const nameEnd = at + buf.readInt32LE(word);
      const valueEnd = nameEnd + 2 + buf.readInt32LE(word + 4);
      fields[i * 4] = at;
      fields[i * 4 + 1] = nameEnd;
      fields[i * 4 + 2] = nameEnd + 2;
      fields[i * 4 + 3] = valueEnd;
      at = valueEnd + 2;
    }
    head.count = count;
    head.bodyStart = head.bodyEnd = 0;
  },
};

function writeLine(
  words: Int32Array,
  word: number,
  to: Buffer,
  at: number,
  from: Buffer,
  fields: readonly number[],
  field: number,
): number {
  const nameStart = fields[field] as number;
  const nameEnd = fields[field + 1] as number;
  const valueStart = fields[field + 2] as number;
  const valueEnd = fields[field + 3] as number;
  words[word] = nameEnd - nameStart;
  words[word + 1] = valueEnd - valueStart;
  at = copyBytes(from, nameStart, nameEnd, to, at);
  to[at++] = 58;
  to[at++] = 32;
  at = copyBytes(from, valueStart, valueEnd, to, at);
  to[at++] = 13;
  to[at++] = 10;
  return at;
}

/** One character a byte, as the text stands on a wire: what is beyond Latin-1 as its UTF-8 bytes. */
function wireText(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) return Buffer.from(text).toString('latin1');
  }
  return text;
}
