import type { HeadView } from '../../../core/base/head-view.ts';
import { bytesField, int32Field, intField, mapField, stringField } from './jce.ts';
import { lengthBytes, oneWayType, type TarsPacket, version } from './packet.ts';

/** Headers of HTTP that say nothing in a context. */
const notSent: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
]);

/** Another field in the place of `[at, end)` of a packet. */
export interface Edit {
  readonly at: number;
  readonly end: number;
  readonly field: Buffer;
}

/** The frame with some fields replaced. @param edits in the order of their places */
export function splice(buf: Buffer, start: number, end: number, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let from = start;
  for (const edit of edits) {
    parts.push(buf.subarray(from, edit.at), edit.field);
    from = edit.end;
  }
  parts.push(buf.subarray(from, end));
  const frame = Buffer.concat(parts);
  frame.writeUInt32BE(frame.length, 0);
  return frame;
}

/** @returns null when it fitted in place */
export function setId(
  buf: Buffer,
  start: number,
  end: number,
  packet: TarsPacket,
  id: number,
): Buffer | null {
  const tag = packet.isRequest ? 4 : 3;
  const field = int32Field(tag, id);
  if (packet.idEnd - packet.idAt !== field.length) {
    return splice(buf, start, end, [{ at: packet.idAt, end: packet.idEnd, field }]);
  }
  field.copy(buf, packet.idAt);
  return null;
}

/** The live fields as keys and values in turn. */
export function contextOf(head: HeadView): Buffer[] {
  const texts: Buffer[] = [];
  head.forEach((name, value) => {
    if (!notSent.has(name.toLowerCase()))
      texts.push(Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'));
  });
  return texts;
}

export interface RequestParts {
  readonly id: number;
  readonly isOneWay: boolean;
  readonly servant: Buffer;
  readonly method: Buffer;
  readonly body: Buffer;
  readonly timeoutMs: number;
}

export function writeRequest(parts: RequestParts, head: HeadView): Buffer {
  return framed([
    intField(1, version),
    intField(2, parts.isOneWay ? oneWayType : 0),
    intField(3, 0),
    intField(4, parts.id | 0),
    stringField(5, parts.servant),
    stringField(6, parts.method),
    bytesField(7, parts.body),
    intField(8, parts.timeoutMs),
    mapField(9, contextOf(head)),
    mapField(10, []),
  ]);
}

/** @param context keys and values in turn */
export function writeResponse(
  id: number,
  ret: number,
  body: Buffer,
  description: Buffer,
  context: readonly Buffer[],
): Buffer {
  return framed([
    intField(1, version),
    intField(2, 0),
    intField(3, id | 0),
    intField(4, 0),
    intField(5, ret),
    bytesField(6, body),
    mapField(7, []),
    stringField(8, description),
    mapField(9, context),
  ]);
}

function framed(fields: readonly Buffer[]): Buffer {
  const frame = Buffer.concat([Buffer.alloc(lengthBytes), ...fields]);
  frame.writeUInt32BE(frame.length, 0);
  return frame;
}
