import type { HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianProblem } from '../hessian/problems.ts';
import { HessianText, intBytes, locateString, readInt, skipString } from '../hessian/read.ts';
import { HessianSkipper } from '../hessian/skipper.ts';
import { nullTag } from './constants.ts';

/**
 * Goes through the attachments of one message, entry by entry. Strings, all there is as a rule, are read where they
 * stand; only for another value the arguments are skipped once more, for the classes and types it may refer to.
 */
export class AttachmentCursor {
  readonly key = new HessianText();
  readonly value = new HessianText();
  /** Offsets of the entry: the key's tag, the value's tag, behind the value. */
  start = 0;
  valueTag = 0;
  end = 0;
  /** Key and value are strings in one piece: the entry is a header. */
  isText = false;
  readonly #buf: Buffer;
  readonly #valuesStart: number;
  readonly #mapStart: number;
  readonly #limit: number;
  #skipper: HessianSkipper | null;
  /** The skipper has gone into the map. */
  #isOpen = false;

  /**
   * @param valuesStart the first argument of a request, the value of an answer
   * @param mapStart the attachments, up to `limit`
   * @param skipper has just skipped what stands in between; null: not done
   */
  constructor(
    buf: Buffer,
    valuesStart: number,
    mapStart: number,
    limit: number,
    skipper: HessianSkipper | null = null,
  ) {
    this.#buf = buf;
    this.#valuesStart = valuesStart;
    this.#mapStart = mapStart;
    this.#limit = limit;
    this.#skipper = skipper;
  }

  /** To the first entry. @returns 0, or a HessianProblem: neither a map nor null */
  open(): number {
    const buf = this.#buf;
    const at = this.#mapStart;
    if (at >= this.#limit) return HessianProblem.truncated;
    this.end = at + 1;
    if (buf[at] === nullTag || buf[at] === 0x48) return 0;
    if (buf[at] !== 0x4d) return HessianProblem.badTag;
    // Of a type, a string or the number of an earlier one.
    const width = intBytes(buf[at + 1] as number);
    const first = width > 0 ? at + 1 + width : skipString(hessian2, buf, at + 1, this.#limit);
    if (first < 0) return first;
    this.end = first;
    return 0;
  }

  /** To the next entry. @returns 1, 0 behind the last, or a HessianProblem */
  next(): number {
    const buf = this.#buf;
    const limit = this.#limit;
    const at = this.end;
    if (at >= limit) return buf[this.#mapStart] === nullTag ? 0 : HessianProblem.truncated;
    if (buf[at] === hessian2.endMark && buf[this.#mapStart] !== nullTag) {
      return at + 1 === limit ? 0 : HessianProblem.badLength;
    }
    if (buf[this.#mapStart] === nullTag) return HessianProblem.badLength;
    this.start = at;
    this.valueTag = locateString(hessian2, buf, at, limit, this.key);
    this.end =
      this.valueTag < 0 ? this.valueTag : locateString(hessian2, buf, this.valueTag, limit, this.value);
    this.isText = this.end > 0 && isWhole(this.key) && isWhole(this.value);
    return this.end > 0 ? 1 : this.#nextOther();
  }

  /** The int that an entry has as value; -1 for others. */
  intValue(): number {
    const value = readInt(this.#buf, this.valueTag, this.end);
    return value < 0 ? -1 : value;
  }

  /** An entry with another value than a string. */
  #nextOther(): number {
    this.#skipper ??= this.#skipValues();
    if (this.#skipper === null) return HessianProblem.badReference;
    if (!this.#isOpen) {
      const first = this.#skipper.openMap(this.#buf, this.#mapStart, this.#limit);
      if (first < 0) return first;
      this.#isOpen = true;
    }
    this.valueTag = this.#skipper.skip(this.#buf, this.start, this.#limit);
    if (this.valueTag < 0) return this.valueTag;
    this.end = this.#skipper.skip(this.#buf, this.valueTag, this.#limit);
    return this.end < 0 ? this.end : 1;
  }

  #skipValues(): HessianSkipper | null {
    const skipper = new HessianSkipper(hessian2);
    let at = this.#valuesStart;
    while (at >= 0 && at < this.#mapStart) at = skipper.skip(this.#buf, at, this.#mapStart);
    return at === this.#mapStart ? skipper : null;
  }
}

function isWhole(text: HessianText): boolean {
  return !text.isNull && !text.isChunked;
}

/**
 * Makes the attachments of `cursor` fields of `head`. Of two with one name the last counts, as in Java's maps.
 * @returns 0, or a HessianProblem
 */
export function indexAttachments(head: HeadView, cursor: AttachmentCursor): number {
  let problem = cursor.open();
  if (problem < 0) return problem;
  const { fields } = head;
  let count = 0;
  for (problem = cursor.next(); problem > 0; problem = cursor.next()) {
    const { key, value } = cursor;
    if (!cursor.isText) {
      // Some consumers send it as a number; a header has to be text.
      if (isTimeout(head.buf, key.start, key.end)) head.timeoutMs = Math.max(0, cursor.intValue());
      continue;
    }
    hideEqual(head, count, key.start, key.end);
    fields[count * 4] = key.start;
    fields[count * 4 + 1] = key.end;
    fields[count * 4 + 2] = value.start;
    fields[count * 4 + 3] = value.end;
    count++;
  }
  head.count = count;
  return problem;
}

function isTimeout(buf: Buffer, start: number, end: number): boolean {
  return end - start === 7 && latin1(buf, start, end) === 'timeout';
}

function hideEqual(head: HeadView, count: number, start: number, end: number): void {
  const { fields, buf } = head;
  for (let at = 0; at < count * 4; at += 4) {
    const other = fields[at] as number;
    if ((fields[at + 1] as number) - other !== end - start || other < 0) continue;
    let i = 0;
    while (start + i < end && buf[other + i] === buf[start + i]) i++;
    if (start + i === end) fields[at] = ~other;
  }
}
