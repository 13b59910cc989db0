import { copyBytes } from '../../../core/base/bytes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { AttachmentCursor } from './attachments.ts';
import { nullTag } from './constants.ts';
import { fieldRoom, writeField } from './field-text.ts';

const emptyMapTag = 0x48;
const typedMapTag = 0x4d;

/** Headers of other protocols that say nothing behind a Dubbo header, or stand in the words. */
const notSent: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'dubbo-result',
  'host',
  'keep-alive',
  'parameter-types',
  'transfer-encoding',
]);

/** Bytes that the added fields of `head` need at most. */
export function addedRoom(head: HeadView): number {
  return head.extraLength * 3 + head.extraCount * 6 + 2;
}

/**
 * Writes the attachments that `head` was read with, as filters have edited them: entries that are still there as they
 * came, then those that were added.
 * @param skipped an added field that is not written, -1 for none
 * @returns the offset behind them, or -1 when those of the frame cannot be read
 */
export function writeEdited(target: Buffer, at: number, head: HeadView, skipped = -1): number {
  const { buf, bodyEnd, end } = head;
  if (buf[bodyEnd] === nullTag && end === bodyEnd + 1) {
    if (!hasAdded(head, skipped)) {
      target[at] = nullTag;
      return at + 1;
    }
    target[at++] = emptyMapTag;
  } else {
    at = isWhole(head) ? copyBytes(buf, bodyEnd, end - 1, target, at) : writeKept(target, at, head);
    if (at < 0) return -1;
  }
  at = writeAdded(target, at, head, skipped);
  target[at] = hessian2.endMark;
  return at + 1;
}

/** A map of which nothing was removed: all but its end stays as it is. */
function isWhole(head: HeadView): boolean {
  const { buf, bodyEnd, end, fields, count } = head;
  const tag = buf[bodyEnd];
  if ((tag !== emptyMapTag && tag !== typedMapTag) || buf[end - 1] !== hessian2.endMark) return false;
  for (let at = 0; at < count * 4; at += 4) if ((fields[at] as number) < 0) return false;
  return true;
}

/** Writes the map's beginning and the entries that were not removed, runs of them at once. */
function writeKept(target: Buffer, at: number, head: HeadView): number {
  const { buf, bodyStart, bodyEnd, end, fields } = head;
  const cursor = new AttachmentCursor(buf, bodyStart, bodyEnd, end);
  if (cursor.open() < 0) return -1;
  let run = bodyEnd;
  let field = 0;
  let found = cursor.next();
  for (; found > 0; found = cursor.next()) {
    // Fields are in the order of the entries that are text.
    if (!cursor.isText || (fields[field++ * 4] as number) >= 0) continue;
    at = copyBytes(buf, run, cursor.start, target, at);
    run = cursor.end;
  }
  return found < 0 ? -1 : copyBytes(buf, run, end - 1, target, at);
}

/** Is there a field that was added and not removed again? */
export function hasAdded(head: HeadView, skipped = -1): boolean {
  for (let i = 0; i < head.extraCount; i++) {
    if (i !== skipped && (head.extraFields[i * 4] as number) >= 0) return true;
  }
  return false;
}

/** Writes the live added fields as entries. */
export function writeAdded(target: Buffer, at: number, head: HeadView, skipped = -1): number {
  const { extra, extraFields, extraCount } = head;
  for (let i = 0; i < extraCount; i++) {
    const start = extraFields[i * 4] as number;
    if (start < 0 || i === skipped) continue;
    at = writeField(target, at, extra, start, extraFields[i * 4 + 1] as number);
    at = writeField(target, at, extra, extraFields[i * 4 + 2] as number, extraFields[i * 4 + 3] as number);
  }
  return at;
}

/** Attachments made of the headers of another protocol's head. */
export function foreignAttachments(head: HeadView, own: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [Buffer.of(emptyMapTag)];
  const add = (name: string, value: string): void => {
    const from = Buffer.from(name + value, 'latin1');
    const entry = Buffer.allocUnsafe(fieldRoom(name.length) + fieldRoom(value.length));
    const middle = writeField(entry, 0, from, 0, name.length);
    parts.push(entry.subarray(0, writeField(entry, middle, from, name.length, from.length)));
  };
  for (const [name, value] of own) if (head.find(name) < 0) add(name, value);
  head.forEach((name, value) => {
    if (!notSent.has(name.toLowerCase())) add(name, value);
  });
  parts.push(Buffer.of(hessian2.endMark));
  return Buffer.concat(parts);
}

/** Are there headers that an answer's attachments would carry? */
export function hasAttachments(head: HeadView): boolean {
  let has = false;
  head.forEach((name) => {
    if (!notSent.has(name.toLowerCase())) has = true;
  });
  return has;
}
