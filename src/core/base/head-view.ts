import { copyBytes, writeChecked } from './bytes.ts';
import { checkHeader, type HeaderField, lowerByte, tokenByte, valueByte } from './header-field.ts';
import { latin1 } from './latin1.ts';

const nothing: Buffer = Buffer.alloc(0);
const firstExtraBytes = 256;
/** A head whose own bytes grew beyond this gives them back on reset, so that a pooled stream stays small. */
const keptExtraBytes = 4096;

/** Finds the fields of a head that was read without them: fills `fields` and `count`. */
export interface FieldSource {
  readFields(head: HeadView): void;
}

/**
 * One head (request, response or trailers) of any protocol: offsets into the bytes that were read, plus a patch list.
 *
 *   buf     | GET /a HTTP/1.1\r\n | host: x\r\n | accept: y\r\n | ...      what was read; never changed
 *            methodStart..       fields[0..3]   fields[4..7]
 *   extra   | x-request-id: 7\r\n | ...                                    what filters added, in wire form
 *
 * Removing marks a field, setting removes and appends, strings are made on demand and cached. A head is valid until
 * the phase function that got it returns; `retain()` makes it live on. Names compare case-insensitively unless
 * `exactNames` is set (Bolt, Dubbo). Fields are plain data, so a head can cross a thread or go into a recording.
 */
export class HeadView {
  buf: Buffer = nothing;
  /** Range of the head block in `buf`; `firstEnd` is the end of the first line with its line break. */
  start = 0;
  firstEnd = 0;
  end = 0;
  methodStart = 0;
  methodEnd = 0;
  pathStart = 0;
  pathEnd = 0;
  authorityStart = 0;
  authorityEnd = 0;
  /** Response status in HTTP's scale, whatever the protocol; 0 on a request. */
  status = 0;
  /** The protocol's own status where it is another (Bolt, Dubbo, gRPC). */
  protocolStatus = 0;
  /** HTTP/1 minor version of the sender. */
  minor = 1;
  /** Announced body length in bytes, -1 when none was announced. */
  contentLength = -1;
  chunked = false;
  /** The sender closes the connection after this message. */
  close = false;
  expectContinue = false;
  /** The value of Upgrade in lower case when Connection names it, "connect" for CONNECT, else "". */
  upgrade = '';
  /** RPC words, set by codecs that have them. */
  service = '';
  rpcMethod = '';
  /** The caller waits for no answer (Bolt, Dubbo, Thrift). */
  oneWay = false;
  /** How long the caller says it waits, in ms; 0 when it does not say. */
  timeoutMs = 0;
  /**
   * Framed RPC protocols: who read this head, and where in `buf` the body stands. Then `start` to `end` is the whole
   * frame, and a codec of the same kind may send those bytes as they are while `isEdited` is false.
   */
  framing: object | null = null;
  bodyStart = 0;
  bodyEnd = 0;
  /** A field was added or removed. */
  isEdited = false;
  /** Fields that nobody has asked for yet. */
  source: FieldSource | null = null;
  exactNames = false;
  /** The bytes of `buf` belong to somebody who will overwrite them once the call returns. */
  borrowed = false;
  /** The fields stand in `buf` as contiguous HTTP/1 lines from `firstEnd` to `end`: runs of them may be copied as they are. */
  lines = false;
  /** Of a head with `lines`: offsets in `fields` of Host and Content-Length, -1 when they are not there; fields removed. */
  hostField = -1;
  lengthField = -1;
  removedCount = 0;
  /** Wire fields; four offsets each: name start (~start when removed), name end, value start, value end. */
  count = 0;
  fields: number[] = [];
  /** Added fields in wire form `name: value\r\n`, indexed as `fields`. */
  extra: Buffer = nothing;
  extraLength = 0;
  extraCount = 0;
  extraFields: number[] = [];
  /** The added bytes are not to be sent as they stand: one was removed again, or one may have a name that frames messages. */
  isExtraMixed = false;
  /** Which names may be there, as hashed bits; of the wire fields once `indexedCount` of them were looked at. */
  nameBits = 0;
  indexedCount = 0;
  /** Wire fields that no hop may put into a compression table (RFC 7541 §7.1.3): bit 31 stands for all from 31 on. */
  neverIndexed = 0;
  /** Overrides and caches; null means "not made yet". */
  methodText: string | null = null;
  pathText: string | null = null;
  authorityText: string | null = null;
  /** Set when a filter or route changed the path or authority: the encoder then writes the text. */
  pathChanged = false;
  authorityChanged = false;
  /** Reason phrase of a local reply; codecs fill in the standard one when "". */
  reason = '';

  reset(): void {
    this.buf = nothing;
    this.start = this.firstEnd = this.end = 0;
    this.methodStart = this.methodEnd = this.pathStart = this.pathEnd = 0;
    this.authorityStart = this.authorityEnd = 0;
    this.status = this.protocolStatus = 0;
    this.minor = 1;
    this.contentLength = -1;
    this.chunked = this.close = this.expectContinue = this.exactNames = this.borrowed = false;
    this.lines = this.oneWay = this.isEdited = this.isExtraMixed = false;
    this.framing = this.source = null;
    this.timeoutMs = this.bodyStart = this.bodyEnd = 0;
    this.hostField = this.lengthField = -1;
    this.removedCount = 0;
    this.pathChanged = this.authorityChanged = false;
    this.upgrade = this.service = this.rpcMethod = this.reason = '';
    this.count = this.extraLength = this.extraCount = 0;
    this.nameBits = this.indexedCount = this.neverIndexed = 0;
    this.methodText = this.pathText = this.authorityText = null;
    if (this.extra.length > keptExtraBytes) this.extra = nothing;
  }

  get method(): string {
    if (this.methodText === null) this.methodText = latin1(this.buf, this.methodStart, this.methodEnd);
    return this.methodText;
  }

  get path(): string {
    if (this.pathText === null) this.pathText = latin1(this.buf, this.pathStart, this.pathEnd);
    return this.pathText;
  }

  set path(value: string) {
    this.pathText = value;
    this.pathChanged = true;
  }

  get authority(): string {
    if (this.authorityText === null)
      this.authorityText = latin1(this.buf, this.authorityStart, this.authorityEnd);
    return this.authorityText;
  }

  set authority(value: string) {
    this.authorityText = value;
    this.authorityChanged = true;
  }

  /** Index of the first live field of that name, or -1. Makes no string. @param lowerName in lower case */
  find(lowerName: string): number {
    return this.findNext(lowerName, 0);
  }

  /** As `find`, from the field `from` on: `findNext(name, index + 1)` goes through repeated fields. */
  findNext(lowerName: string, from: number): number {
    if (this.indexedCount !== this.count) this.#indexNames();
    const length = lowerName.length;
    // Most look-ups are for fields that are not there: one test says so, 2 ns instead of 2 ns a field.
    if ((this.nameBits & nameBit(length, lowerByte[lowerName.charCodeAt(0) & 255] as number)) === 0)
      return -1;
    const { fields, count } = this;
    for (let i = from, at = from * 4; i < count; i++, at += 4) {
      const start = fields[at] as number;
      if ((fields[at + 1] as number) - start !== length || start < 0) continue;
      if (this.#sameName(this.buf, start, lowerName)) return i;
    }
    const { extraFields, extraCount } = this;
    for (let i = Math.max(0, from - count), at = i * 4; i < extraCount; i++, at += 4) {
      const start = extraFields[at] as number;
      if ((extraFields[at + 1] as number) - start !== length || start < 0) continue;
      if (this.#sameName(this.extra, start, lowerName)) return count + i;
    }
    return -1;
  }

  has(lowerName: string): boolean {
    return this.find(lowerName) >= 0;
  }

  /** The value of the first field of that name, or null. */
  get(lowerName: string): string | null {
    const index = this.find(lowerName);
    return index < 0 ? null : this.valueAt(index);
  }

  /** All values of that name, in order. */
  getAll(lowerName: string): string[] {
    const values: string[] = [];
    for (let i = this.find(lowerName); i >= 0; i = this.findNext(lowerName, i + 1))
      values.push(this.valueAt(i));
    return values;
  }

  /** @param index as `find` returned it */
  valueAt(index: number): string {
    if (index < this.count) {
      return latin1(this.buf, this.fields[index * 4 + 2] as number, this.fields[index * 4 + 3] as number);
    }
    const at = (index - this.count) * 4;
    return latin1(this.extra, this.extraFields[at + 2] as number, this.extraFields[at + 3] as number);
  }

  /** Makes sure that `fields` and `count` are there: for those who read them without `find`. */
  index(): void {
    const source = this.source;
    if (source === null) return;
    this.source = null;
    source.readFields(this);
  }

  /** Leaves the fields to `source` until somebody asks for one. */
  indexLater(source: FieldSource): void {
    this.source = source;
    this.indexedCount = -1;
  }

  /** Is that the value of the field? Compares bytes: 10 ns where a string of them costs 50. @param index as of `find` */
  hasValue(index: number, text: string): boolean {
    const inWire = index < this.count;
    const fields = inWire ? this.fields : this.extraFields;
    const at = (inWire ? index : index - this.count) * 4;
    const start = fields[at + 2] as number;
    if ((fields[at + 3] as number) - start !== text.length) return false;
    const buf = inWire ? this.buf : this.extra;
    for (let i = 0; i < text.length; i++) if (buf[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Calls back for each live field with its name as it was written. Makes strings: not for the hot path. */
  forEach(visit: (name: string, value: string) => void): void {
    this.index();
    for (let at = 0; at < this.count * 4; at += 4) {
      if ((this.fields[at] as number) < 0) continue;
      visit(latin1(this.buf, this.fields[at] as number, this.fields[at + 1] as number), this.valueAt(at / 4));
    }
    for (let at = 0; at < this.extraCount * 4; at += 4) {
      if ((this.extraFields[at] as number) < 0) continue;
      const name = latin1(this.extra, this.extraFields[at] as number, this.extraFields[at + 1] as number);
      visit(name, latin1(this.extra, this.extraFields[at + 2] as number, this.extraFields[at + 3] as number));
    }
  }

  /** Removes every field of that name. Returns whether there was one. */
  remove(lowerName: string): boolean {
    let removed = false;
    for (let index = this.find(lowerName); index >= 0; index = this.findNext(lowerName, index + 1)) {
      this.removeAt(index);
      removed = true;
    }
    return removed;
  }

  removeAt(index: number): void {
    this.isEdited = true;
    if (index < this.count) {
      this.fields[index * 4] = ~(this.fields[index * 4] as number);
      this.removedCount++;
      return;
    }
    const at = (index - this.count) * 4;
    this.extraFields[at] = ~(this.extraFields[at] as number);
    this.isExtraMixed = true;
  }

  /** Replaces every field of that name by one. @throws HeddleError ERR_HEADER_INVALID */
  set(lowerName: string, value: string): void {
    this.remove(lowerName);
    this.add(lowerName, value);
  }

  /** Adds a field after those that are there. @throws HeddleError ERR_HEADER_INVALID */
  add(name: string, value: string): void {
    const at = this.#reserve(name.length + value.length + 4);
    const extra = this.extra;
    const colon = writeChecked(extra, at, name, tokenByte);
    if (colon <= at || writeChecked(extra, colon + 2, value, valueByte) < 0) {
      this.extraLength = at;
      checkHeader(name, value);
    }
    extra[colon] = 58;
    extra[colon + 1] = 32;
    this.#indexExtra(at, name.length, value.length);
  }

  /** As `add`, from bytes that were made and checked once: one copy. */
  addField(field: HeaderField): void {
    const bytes = field.bytes;
    const at = this.#reserve(bytes.length);
    copyBytes(bytes, 0, bytes.length, this.extra, at);
    this.#indexExtra(at, field.name.length, bytes.length - field.name.length - 4, false);
  }

  /**
   * Adds a field of the given name with the value of the field at `index` of `from`, unless that is empty. The bytes
   * are copied, no string made, where they are known to be a header's. @throws HeddleError ERR_HEADER_INVALID
   */
  addCopy(name: HeaderField, from: HeadView, index: number): void {
    const inWire = index < from.count;
    if (inWire && !from.lines) {
      const value = from.valueAt(index);
      if (value !== '') this.add(name.name, value);
      return;
    }
    const fields = inWire ? from.fields : from.extraFields;
    const at = (inWire ? index : index - from.count) * 4;
    const start = fields[at + 2] as number;
    const end = fields[at + 3] as number;
    if (end === start) return;
    const target = this.addRaw(name, end - start);
    copyBytes(inWire ? from.buf : from.extra, start, end, this.extra, target);
  }

  /** Room for a value that the caller writes itself: returns the offset in `extra` where its bytes go. */
  addRaw(nameBytes: HeaderField, valueLength: number): number {
    const nameLength = nameBytes.name.length;
    const at = this.#reserve(nameLength + valueLength + 4);
    copyBytes(nameBytes.bytes, 0, nameLength + 2, this.extra, at);
    this.#indexExtra(at, nameLength, valueLength);
    return at + nameLength + 2;
  }

  /** Copies borrowed bytes, so that the head outlives the read buffer. Idempotent; free when it owns them. */
  retain(): void {
    if (!this.borrowed) return;
    const copy = Buffer.allocUnsafe(this.end - this.start);
    this.buf.copy(copy, 0, this.start, this.end);
    this.rebase(copy, -this.start);
    this.borrowed = false;
  }

  /** The same bytes now stand in `buf`, `delta` further on. */
  rebase(buf: Buffer, delta: number): void {
    this.buf = buf;
    this.start += delta;
    this.firstEnd += delta;
    this.end += delta;
    this.methodStart += delta;
    this.methodEnd += delta;
    this.pathStart += delta;
    this.pathEnd += delta;
    this.authorityStart += delta;
    this.authorityEnd += delta;
    this.bodyStart += delta;
    this.bodyEnd += delta;
    const fields = this.fields;
    for (let at = 0; at < this.count * 4; at += 4) {
      const from = fields[at] as number;
      fields[at] = from < 0 ? ~(~from + delta) : from + delta;
      fields[at + 1] = (fields[at + 1] as number) + delta;
      fields[at + 2] = (fields[at + 2] as number) + delta;
      fields[at + 3] = (fields[at + 3] as number) + delta;
    }
  }

  /** Names in lower case; repeated fields are joined with ", " (RFC 9110 §5.3). For adapters and dumps. */
  toObject(): Record<string, string> {
    const all: Record<string, string> = Object.create(null) as Record<string, string>;
    this.forEach((name, value) => {
      const key = this.exactNames ? name : name.toLowerCase();
      all[key] = key in all ? `${all[key]}, ${value}` : value;
    });
    return all;
  }

  #reserve(length: number): number {
    const at = this.extraLength;
    if (at + length > this.extra.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstExtraBytes, (at + length) * 2));
      this.extra.copy(larger, 0, 0, at);
      this.extra = larger;
    }
    this.extraLength = at + length;
    return at;
  }

  #indexExtra(at: number, nameLength: number, valueLength: number, writeEnd = true): void {
    this.isEdited = true;
    const valueStart = at + nameLength + 2;
    const valueEnd = valueStart + valueLength;
    if (writeEnd) {
      this.extra[valueEnd] = 13;
      this.extra[valueEnd + 1] = 10;
    }
    const first = lowerByte[this.extra[at] as number] as number;
    this.nameBits |= nameBit(nameLength, first);
    if (mayFrame(nameLength, first)) this.isExtraMixed = true;
    const index = this.extraCount++ * 4;
    this.extraFields[index] = at;
    this.extraFields[index + 1] = at + nameLength;
    this.extraFields[index + 2] = valueStart;
    this.extraFields[index + 3] = valueEnd;
  }

  #indexNames(): void {
    this.index();
    const { fields, count, buf } = this;
    let bits = this.nameBits;
    for (let at = 0; at < count * 4; at += 4) {
      const marked = fields[at] as number;
      const start = marked < 0 ? ~marked : marked;
      bits |= nameBit((fields[at + 1] as number) - start, lowerByte[buf[start] as number] as number);
    }
    this.nameBits = bits;
    this.indexedCount = count;
  }

  #sameName(buf: Buffer, from: number, name: string): boolean {
    if (this.exactNames) {
      for (let i = 0; i < name.length; i++) if (buf[from + i] !== name.charCodeAt(i)) return false;
      return true;
    }
    for (let i = 0; i < name.length; i++) {
      if (lowerByte[buf[from + i] as number] !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}

/** For each length the first letters, as bits, of the fields that a codec writes itself. */
const framingLetters = new Int32Array(32);
for (const name of ['host', 'upgrade', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'])
  framingLetters[name.length] = (framingLetters[name.length] as number) | (1 << (name.charCodeAt(0) & 31));

function mayFrame(length: number, first: number): boolean {
  return length < 32 && ((framingLetters[length] as number) & (1 << (first & 31))) !== 0;
}

/** Length and first letter (in lower case) tell nearly all header names apart. Exact names are in lower case here, too: bits may lie, names not. */
export function nameBit(length: number, first: number): number {
  return 1 << ((length * 5 + first) & 31);
}
