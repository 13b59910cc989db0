import { copyBytes, writeText } from '../../../core/base/bytes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import { FieldFlag, FieldKind } from './field-kind.ts';

/** What was wrong with a head, as bits; the first three make a message malformed (RFC 9113 §8.1.1). */
export const HeadFault = {
  pseudo: 1,
  field: 2,
  length: 4,
  tooLarge: 8,
  underscore: 16,
  obsText: 32,
  uriTooLong: 64,
} as const;
export const malformedFaults: number = HeadFault.pseudo | HeadFault.field | HeadFault.length;

export interface AssemblyLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
}

const nothing: Buffer = Buffer.alloc(0);
const noHead: HeadView = new HeadView();
const cookieName = 'cookie: ';

/**
 * Where a header block becomes a head: the decoder writes each field as a line and calls `add`.
 *
 *   start                        firstEnd                                   at
 *   | :method: GET\r\n:path: ... | accept: x\r\ncookie: a\r\ncookie: b\r\n | cookie: a; b\r\n
 *
 * So the head is in the form of HTTP/1 (`head.lines`) whatever the compression did. Pseudo-headers are kept as ranges,
 * crumbs of Cookie are joined (RFC 9113 §8.2.3), everything that is wrong is noted and judged by the caller.
 */
export class HeadAssembly {
  buf: Buffer = nothing;
  at = 0;
  head: HeadView = noHead;
  faults = 0;
  /** `1 << FieldKind` of what was there. */
  seen = 0;
  schemeStart = 0;
  schemeEnd = 0;
  protocolStart = 0;
  protocolEnd = 0;
  statusStart = 0;
  statusEnd = 0;
  hostStart = 0;
  hostEnd = 0;
  hostField = -1;
  #start = 0;
  #limit = 0;
  #maxCount = 0;
  #dropsUnderscore = false;
  #cookies = 0;

  /** @param block where the head is written; a larger buffer takes its place if it has to */
  begin(head: HeadView, block: Buffer, limits: AssemblyLimits, dropsUnderscore: boolean): void {
    this.head = head;
    this.buf = head.buf = block;
    this.at = this.#start = head.start = head.firstEnd = 0;
    this.#limit = limits.maxHeaderBytes;
    this.#maxCount = limits.maxHeaderCount;
    this.#dropsUnderscore = dropsUnderscore;
    this.faults = this.seen = this.#cookies = 0;
    this.hostField = -1;
    head.lines = true;
  }

  /**
   * Room for a line of that length at `at`, of which `writtenBytes` stand there already. Beyond what the limit can
   * mean the head is given up, but the table still needs the line.
   */
  reserve(lineBytes: number, writtenBytes: number): void {
    const needed = this.at + lineBytes;
    if (needed <= this.buf.length) return;
    if (needed <= this.#limit * 2) {
      const larger = Buffer.allocUnsafe(needed * 2);
      this.buf.copy(larger, 0, 0, this.at + writtenBytes);
      this.buf = larger;
      return;
    }
    this.faults |= HeadFault.tooLarge;
    const spare = Buffer.allocUnsafe(lineBytes);
    this.buf.copy(spare, 0, this.at, this.at + writtenBytes);
    this.buf = spare;
    this.at = 0;
  }

  /** Takes the line that was written at `at`. @param meta kind | flags << 8 */
  add(nameLength: number, valueLength: number, meta: number, isNeverIndexed: boolean): void {
    const at = this.at;
    const next = at + nameLength + valueLength + 4;
    if ((this.faults & HeadFault.tooLarge) !== 0) return;
    if (next - this.#start > this.#limit || this.head.count >= this.#maxCount) {
      this.faults |= HeadFault.tooLarge;
      return;
    }
    const kind = meta & 255;
    const valueStart = at + nameLength + 2;
    if (meta !== FieldKind.plain && !this.#note(kind, meta >> 8, valueStart, valueStart + valueLength)) {
      // A pseudo-header stands before the fields; what is dropped is written over.
      if (kind <= FieldKind.protocol) this.at = this.head.firstEnd = next;
      return;
    }
    this.seen |= 1;
    const { head } = this;
    const { fields, count } = head;
    const n = count * 4;
    fields[n] = at;
    fields[n + 1] = at + nameLength;
    fields[n + 2] = valueStart;
    fields[n + 3] = valueStart + valueLength;
    if (isNeverIndexed) head.neverIndexed |= 1 << Math.min(count, 31);
    head.count = count + 1;
    this.at = next;
  }

  /** Fields that mean something to the codec. True: it stays among the fields. */
  #note(kind: number, flags: number, start: number, end: number): boolean {
    if ((flags & FieldFlag.invalidValue) !== 0) this.faults |= HeadFault.field;
    if ((flags & FieldFlag.obsText) !== 0) this.faults |= HeadFault.obsText;
    if (kind === FieldKind.plain) return true;
    if (kind <= FieldKind.protocol) {
      this.#notePseudo(kind, start, end);
      return false;
    }
    switch (kind) {
      case FieldKind.contentLength:
        this.#noteLength(start, end);
        return true;
      case FieldKind.host:
        if ((this.seen & (1 << FieldKind.host)) !== 0) this.faults |= HeadFault.field;
        this.seen |= 1 << FieldKind.host;
        this.hostStart = start;
        this.hostEnd = end;
        this.hostField = this.head.count;
        return true;
      case FieldKind.te:
        if (!this.isText(start, end, 'trailers')) this.faults |= HeadFault.field;
        return true;
      case FieldKind.cookie:
        this.#cookies++;
        this.seen |= 1 << FieldKind.cookie;
        return true;
      case FieldKind.expect:
        if (this.isText(start, end, '100-continue')) this.head.expectContinue = true;
        return true;
      case FieldKind.underscore:
        this.faults |= HeadFault.underscore;
        return !this.#dropsUnderscore;
      case FieldKind.hopOnly:
        return false;
      case FieldKind.unknownPseudo:
        this.faults |= HeadFault.pseudo;
        return false;
      default:
        this.faults |= HeadFault.field;
        return false;
    }
  }

  /** RFC 9113 §8.3: once each, before all fields. */
  #notePseudo(kind: number, start: number, end: number): void {
    const bit = 1 << kind;
    if ((this.seen & (bit | 1)) !== 0) this.faults |= HeadFault.pseudo;
    this.seen |= bit;
    const { head } = this;
    switch (kind) {
      case FieldKind.method:
        head.methodStart = start;
        head.methodEnd = end;
        break;
      case FieldKind.path:
        head.pathStart = start;
        head.pathEnd = end;
        break;
      case FieldKind.authority:
        head.authorityStart = start;
        head.authorityEnd = end;
        break;
      case FieldKind.scheme:
        this.schemeStart = start;
        this.schemeEnd = end;
        break;
      case FieldKind.status:
        this.statusStart = start;
        this.statusEnd = end;
        break;
      default:
        this.protocolStart = start;
        this.protocolEnd = end;
    }
  }

  #noteLength(start: number, end: number): void {
    const bit = 1 << FieldKind.contentLength;
    let value = 0;
    if ((this.seen & bit) !== 0 || start === end || end - start > 15) this.faults |= HeadFault.length;
    this.seen |= bit;
    this.head.lengthField = this.head.count * 4;
    for (let at = start; at < end; at++) {
      const digit = (this.buf[at] as number) - 48;
      if (digit >>> 0 > 9) this.faults |= HeadFault.length;
      value = value * 10 + digit;
    }
    this.head.contentLength = value;
  }

  isText(start: number, end: number, text: string): boolean {
    if (end - start !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (this.buf[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** All fields are in. */
  finish(): void {
    const { head } = this;
    if (head.firstEnd === 0) head.firstEnd = this.#start;
    if (this.#cookies > 1 && (this.faults & HeadFault.tooLarge) === 0) this.#joinCookies();
    // As in HTTP/1, the empty line belongs to the block.
    this.reserve(2, 0);
    this.buf[this.at] = 13;
    this.buf[this.at + 1] = 10;
    head.buf = this.buf;
    head.end = this.at + 2;
  }

  #joinCookies(): void {
    const { head } = this;
    const { fields } = head;
    const lineStart = this.at;
    // At most as long as the crumbs together.
    this.reserve(lineStart, 0);
    const { buf } = this;
    let at = writeText(buf, lineStart, cookieName);
    const valueStart = at;
    for (let n = 0; n < head.count * 4; n += 4) {
      const start = fields[n] as number;
      if ((fields[n + 1] as number) - start !== 6 || !this.isText(start, start + 6, 'cookie')) continue;
      if (at > valueStart) at = writeText(buf, at, '; ');
      at = copyBytes(buf, fields[n + 2] as number, fields[n + 3] as number, buf, at);
      head.removeAt(n / 4);
    }
    const n = head.count++ * 4;
    fields[n] = lineStart;
    fields[n + 1] = lineStart + cookieName.length - 2;
    fields[n + 2] = valueStart;
    fields[n + 3] = at;
    head.neverIndexed |= 1 << Math.min(head.count - 1, 31);
    buf[at++] = 13;
    buf[at++] = 10;
    this.at = at;
  }
}
