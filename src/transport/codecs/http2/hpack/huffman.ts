/**
 * The code of RFC 7541 appendix B. It is canonical, so the lengths in bits, for symbols 0 to 255 and EOS, say it all.
 */
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const eos = 256;
const longest = 30;

const codes: readonly number[] = canonicalCodes();
/** Of each symbol that can be sent. */
const codeLengths: Uint8Array = Uint8Array.from(lengths);

function canonicalCodes(): number[] {
  const result = new Array<number>(lengths.length).fill(0);
  let code = 0;
  for (let length = 1; length <= longest; length++) {
    code *= 2;
    for (let symbol = 0; symbol <= eos; symbol++) if (lengths[symbol] === length) result[symbol] = code++;
  }
  return result;
}

/** Bits of a step: the next state is below, the symbol above. */
const emits = 1 << 16;
const fails = 1 << 17;
/** The input may end in the next state: what is left are less than eight ones (§5.2). */
const mayEnd = 1 << 18;

/** 256 inner nodes of the code's tree times 16 values of the next four bits: state | symbol << 8 | bits. */
const steps: Uint32Array = buildSteps();

function buildSteps(): Uint32Array {
  // Children of inner node n: tree[2n], tree[2n + 1]; a leaf is ~symbol, 0 is "not there yet" (the root is nobody's child).
  const tree: number[] = [0, 0];
  for (let symbol = 0; symbol <= eos; symbol++) {
    const length = lengths[symbol] as number;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const place = node * 2 + (Math.floor((codes[symbol] as number) / 2 ** bit) & 1);
      if (bit === 0) tree[place] = ~symbol;
      else if (tree[place] === 0) {
        tree[place] = tree.length / 2;
        tree.push(0, 0);
      }
      node = tree[place] as number;
    }
  }
  return stepsOf(tree);
}

function stepsOf(tree: readonly number[]): Uint32Array {
  const endings = new Set<number>([0]);
  for (let node = 0, ones = 0; ones < 7; ones++) {
    node = tree[node * 2 + 1] as number;
    endings.add(node);
  }
  const table = new Uint32Array((tree.length / 2) * 16);
  for (let state = 0; state < tree.length / 2; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      let step = 0;
      for (let bit = 3; bit >= 0; bit--) {
        node = tree[node * 2 + ((nibble >> bit) & 1)] as number;
        if (node >= 0) continue;
        if (~node === eos) step |= fails;
        else step |= emits | (~node << 8);
        node = 0;
      }
      if (endings.has(node)) step |= mayEnd;
      table[state * 16 + nibble] = step | node;
    }
  }
  return table;
}

/**
 * Decodes `buf[start, end)` into `target`, which has room for 8/5 of it.
 * @returns the offset behind the text, -1 when the input has EOS or bad padding (§5.2)
 */
export function huffmanDecode(buf: Buffer, start: number, end: number, target: Buffer, at: number): number {
  let state = 0;
  let step = mayEnd;
  while (start < end) {
    const byte = buf[start++] as number;
    step = steps[state * 16 + (byte >> 4)] as number;
    if ((step & emits) !== 0) target[at++] = (step >> 8) & 255;
    const high = step;
    state = step & 255;
    step = steps[state * 16 + (byte & 15)] as number;
    if ((step & emits) !== 0) target[at++] = (step >> 8) & 255;
    state = step & 255;
    if (((high | step) & fails) !== 0) return -1;
  }
  return (step & mayEnd) !== 0 ? at : -1;
}

/** Bytes that `huffmanEncode` writes. */
export function huffmanLength(buf: Buffer, start: number, end: number): number {
  let bits = 0;
  while (start < end) bits += codeLengths[buf[start++] as number] as number;
  return (bits + 7) >> 3;
}

/** Returns the offset behind the code, which is padded with ones. */
export function huffmanEncode(buf: Buffer, start: number, end: number, target: Buffer, at: number): number {
  // At most 7 + 30 bits wait: more than an int32 holds, so whole bytes leave by division.
  let waiting = 0;
  let bits = 0;
  while (start < end) {
    const symbol = buf[start++] as number;
    const length = codeLengths[symbol] as number;
    waiting = waiting * 2 ** length + (codes[symbol] as number);
    bits += length;
    while (bits >= 8) {
      bits -= 8;
      const unit = 2 ** bits;
      target[at++] = Math.floor(waiting / unit);
      waiting %= unit;
    }
  }
  if (bits > 0) target[at++] = ((waiting << (8 - bits)) | ((1 << (8 - bits)) - 1)) & 255;
  return at;
}
