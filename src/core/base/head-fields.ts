import { copyBytes, writeChecked } from './bytes.ts';
import { eachField } from './each-field.ts';
import {
  checkHeader,
  type HeaderField,
  lowerByte,
  mayFrame,
  nameBit,
  tokenByte,
  valueByte,
} from './header-field.ts';
import { latin1 } from './latin1.ts';

const nothing: Buffer = Buffer.alloc(0);
const firstExtraBytes = 256;
/** `set` of a whole array costs 22 ns, a loop 0.6 ns a byte. */
const loopBytes = 36;
/** A head whose own bytes grew beyond this gives them back on reset, so that a pooled stream stays small. */
const keptExtraBytes = 4096;

/** The fields of a head: offsets into the bytes that were read and the patches to them. The drawing stands at `HeadView`. */
export abstract class HeadFields {
  buf: Buffer = nothing;
  /** A field was added or removed. */
  isEdited = false;
  exactNames = false;
  /** The fields stand in `buf` as contiguous HTTP/1 lines from `firstEnd` to `end`: runs of them may be copied as they are. */
  lines = false;
  /** Wire fields; four offsets each: name start (~start when removed), name end, value start, value end. */
  count = 0;
  fields: number[] = [];
  /** Wire fields that were removed. */
  removedCount = 0;
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

  /** Makes sure that `fields` and `count` are there. */
  abstract index(): void;

  protected resetFields(): void {
    this.buf = nothing;
    this.exactNames = this.lines = this.isEdited = this.isExtraMixed = false;
    this.count = this.extraLength = this.extraCount = this.removedCount = 0;
    this.nameBits = this.indexedCount = this.neverIndexed = 0;
    if (this.extra.length > keptExtraBytes) this.extra = nothing;
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

  /**
   * Are there no fields of any of these names? False may mean either: then look for each.
   * @param bits of `bitOfName`, for one name or several together
   */
  lacks(bits: number): boolean {
    return this.indexedCount === this.count && (this.nameBits & bits) === 0;
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

  /** Length and last byte of a value: tells values of one field that differ little apart. @param index as of `find` */
  valueMark(index: number): number {
    const inWire = index < this.count;
    const fields = inWire ? this.fields : this.extraFields;
    const at = (inWire ? index : index - this.count) * 4;
    const start = fields[at + 2] as number;
    const end = fields[at + 3] as number;
    if (end === start) return 0;
    // By eleven, so that "tenant-2" and "tenant-11" do not meet.
    return (end - start) * 11 + ((inWire ? this.buf : this.extra)[end - 1] as number);
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

  /** As `hasValue`, half the time for long ones. */
  hasBytes(index: number, bytes: Uint8Array): boolean {
    const inWire = index < this.count;
    const fields = inWire ? this.fields : this.extraFields;
    const at = (inWire ? index : index - this.count) * 4;
    const start = fields[at + 2] as number;
    if ((fields[at + 3] as number) - start !== bytes.length) return false;
    const buf = inWire ? this.buf : this.extra;
    for (let i = 0; i < bytes.length; i++) if (buf[start + i] !== bytes[i]) return false;
    return true;
  }

  /** Calls back for each live field with its name as it was written. Makes strings: not for the hot path. */
  forEach(visit: (name: string, value: string) => void): void {
    this.index();
    eachField(this.buf, this.fields, this.count, visit);
    eachField(this.extra, this.extraFields, this.extraCount, visit);
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
    const valueEnd = colon + 2 + value.length;
    extra[colon] = 58;
    extra[colon + 1] = 32;
    extra[valueEnd] = 13;
    extra[valueEnd + 1] = 10;
    const first = lowerByte[extra[at] as number] as number;
    this.isEdited = true;
    this.nameBits |= nameBit(name.length, first);
    if (mayFrame(name.length, first)) this.isExtraMixed = true;
    this.#indexExtra(at, colon, valueEnd);
  }

  /** As `add`, from bytes that were made and checked once: one copy. */
  addField(field: HeaderField): void {
    const { bytes } = field;
    const length = bytes.length;
    const at = this.#reserve(length);
    const extra = this.extra;
    if (length > loopBytes) extra.set(bytes, at);
    else for (let i = 0; i < length; i++) extra[at + i] = bytes[i] as number;
    this.#noteExtra(field, at, at + length - 2);
  }

  /**
   * Adds a field of the given name with the value of the field at `index` of `from`, unless that is empty. The bytes
   * are copied, no string made, where they are known to be a header's. @throws HeddleError ERR_HEADER_INVALID
   */
  addCopy(name: HeaderField, from: HeadFields, index: number): void {
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
    const valueStart = at + nameLength + 2;
    const valueEnd = valueStart + valueLength;
    const { extra } = this;
    const { bytes } = nameBytes;
    for (let i = 0; i < nameLength + 2; i++) extra[at + i] = bytes[i] as number;
    extra[valueEnd] = 13;
    extra[valueEnd + 1] = 10;
    this.#noteExtra(nameBytes, at, valueEnd);
    return valueStart;
  }

  protected shiftFields(delta: number): void {
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

  /** The bytes of a field of that name stand in `extra` from `at` on; its value ends at `valueEnd`. */
  #noteExtra(field: HeaderField, at: number, valueEnd: number): void {
    this.isEdited = true;
    this.nameBits |= field.bit;
    if (field.mayFrame) this.isExtraMixed = true;
    this.#indexExtra(at, at + field.name.length, valueEnd);
  }

  #indexExtra(at: number, nameEnd: number, valueEnd: number): void {
    const index = this.extraCount++ * 4;
    const fields = this.extraFields;
    fields[index] = at;
    fields[index + 1] = nameEnd;
    fields[index + 2] = nameEnd + 2;
    fields[index + 3] = valueEnd;
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
