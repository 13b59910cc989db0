import { eachField } from './each-field.ts';
import { lowerByte, nameBit } from './header-field.ts';
import { latin1 } from './latin1.ts';

const nothing: Buffer = Buffer.alloc(0);
/** A head whose own bytes grew beyond this gives them back on reset, so that a pooled stream stays small. */
const keptExtraBytes = 4096;

/** The fields of a head, found and read: those that came and those that were added. The drawing stands at `HeadView`. */
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
