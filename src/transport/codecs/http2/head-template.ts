import type { HeadView } from '../../../core/base/head-view.ts';

/**
 * A decoded head whose block has come before: what decoding and judging it again would give, in bytes that are never
 * changed. It stands in `head.template`, so that a connection that sends the head on finds the block it wrote for it before.
 */
export class HeadTemplate {
  readonly #buf: Buffer;
  readonly #numbers: readonly number[];
  readonly #fields: readonly number[];
  readonly #methodText: string | null;
  readonly #pathText: string | null;
  readonly #authorityText: string | null;
  readonly #expectContinue: boolean;
  readonly removedCount: number;
  /** Of its bytes: heads that read the same on several connections have the same. */
  readonly hash: number;

  /** @param head just judged, nothing added; its bytes are copied */
  constructor(head: HeadView) {
    const { start, end } = head;
    this.#buf = Buffer.allocUnsafeSlow(end - start);
    head.buf.copy(this.#buf, 0, start, end);
    const fields: number[] = [];
    for (let n = 0; n < head.count * 4; n++) {
      const at = head.fields[n] as number;
      fields.push(at < 0 ? ~(~at - start) : at - start);
    }
    this.#fields = fields;
    // Fills the bits by which look-ups pass over names that are not there.
    head.has('x');
    this.#numbers = numbersOf(head, start);
    this.#methodText = head.methodText;
    this.#pathText = head.pathEnd > head.pathStart ? head.path : null;
    this.#authorityText = head.authorityText;
    this.#expectContinue = head.expectContinue;
    this.removedCount = head.removedCount;
    let hash = end - start;
    for (const byte of this.#buf) hash = Math.imul(hash ^ byte, 16_777_619);
    this.hash = hash ^ (hash >>> 15);
  }

  /** Would the same wire fields be sent, in the same way? */
  isSame(other: HeadTemplate): boolean {
    const neverIndexed = 12;
    return this.#numbers[neverIndexed] === other.#numbers[neverIndexed] && this.#buf.equals(other.#buf);
  }

  /** Makes of a clean head what decoding would have made of it. */
  applyTo(head: HeadView): void {
    const numbers = this.#numbers;
    head.buf = this.#buf;
    head.end = numbers[0] as number;
    head.firstEnd = numbers[1] as number;
    head.methodStart = numbers[2] as number;
    head.methodEnd = numbers[3] as number;
    head.pathStart = numbers[4] as number;
    head.pathEnd = numbers[5] as number;
    head.authorityStart = numbers[6] as number;
    head.authorityEnd = numbers[7] as number;
    head.status = numbers[8] as number;
    head.contentLength = numbers[9] as number;
    head.count = head.indexedCount = numbers[10] as number;
    head.nameBits = numbers[11] as number;
    head.neverIndexed = numbers[12] as number;
    head.hostField = numbers[13] as number;
    head.lengthField = numbers[14] as number;
    head.removedCount = this.removedCount;
    const from = this.#fields;
    const to = head.fields;
    for (let n = 0; n < from.length; n++) to[n] = from[n] as number;
    head.methodText = this.#methodText;
    head.pathText = this.#pathText;
    head.authorityText = this.#authorityText;
    head.expectContinue = this.#expectContinue;
    head.lines = true;
    head.isEdited = this.removedCount > 0;
    head.template = this;
  }
}

function numbersOf(head: HeadView, start: number): readonly number[] {
  return [
    head.end - start,
    head.firstEnd - start,
    head.methodStart - start,
    head.methodEnd - start,
    head.pathStart - start,
    head.pathEnd - start,
    head.authorityStart - start,
    head.authorityEnd - start,
    head.status,
    head.contentLength,
    head.count,
    head.nameBits,
    head.neverIndexed,
    head.hostField,
    head.lengthField,
  ];
}
