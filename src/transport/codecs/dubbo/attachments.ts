import type { HeadView } from '../../../core/base/head-view.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianProblem } from '../hessian/problems.ts';
import { HessianText, intBytes, locateString, readInt, skipString } from '../hessian/read.ts';
import { HessianSkipper } from '../hessian/skipper.ts';
import { nullTag } from './constants.ts';

const maxTimeoutMs = 0x7fff_ffff;

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
  /** Of the entries so far: the limit of the call, what was left of it when it was sent (0: none), a version. */
  timeoutMs = 0;
  remainingMs = 0;
  hasVersion = false;
  /** The value of `path`; 0: there is none. */
  pathStart = 0;
  pathEnd = 0;
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
    if (this.end < 0 && this.#nextOther() < 0) return this.end;
    this.#note();
    return 1;
  }

  /** Looks whether the entry is one of those that count for reading a request: no second search for each. */
  #note(): void {
    const length = this.key.end - this.key.start;
    if (length === 7) {
      if (this.#isKey('version')) this.hasVersion = true;
      else if (this.#isKey('timeout')) this.timeoutMs = this.#milliseconds();
    } else if (length === 3 && this.#isKey('_TO')) this.remainingMs = this.#milliseconds();
    else if (length === 4 && this.isText && this.#isKey('path')) {
      this.pathStart = this.value.start;
      this.pathEnd = this.value.end;
    }
  }

  #isKey(name: string): boolean {
    const { start } = this.key;
    for (let i = 0; i < name.length; i++) if (this.#buf[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** A positive number, as text or, from some consumers, as an int; else 0. */
  #milliseconds(): number {
    if (!this.isText) return Math.max(0, readInt(this.#buf, this.valueTag, this.end));
    let value = 0;
    for (let at = this.value.start; at < this.value.end; at++) {
      const digit = (this.#buf[at] as number) - 48;
      if (digit < 0 || digit > 9) return 0;
      value = value * 10 + digit;
    }
    return value <= maxTimeoutMs ? value : 0;
  }

  /** An entry with another value than a string. */
  #nextOther(): number {
    this.#skipper ??= this.#skipValues();
    this.end = HessianProblem.badReference;
    if (this.#skipper === null) return this.end;
    if (!this.#isOpen) {
      const first = this.#skipper.openMap(this.#buf, this.#mapStart, this.#limit);
      if (first < 0) return first;
      this.#isOpen = true;
    }
    this.valueTag = this.#skipper.skip(this.#buf, this.start, this.#limit);
    this.end = this.valueTag;
    if (this.end < 0) return this.end;
    this.end = this.#skipper.skip(this.#buf, this.valueTag, this.#limit);
    return this.end;
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
    if (!cursor.isText) continue;
    const { key, value } = cursor;
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
