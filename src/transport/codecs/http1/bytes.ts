export { copyBytes, writeText } from '../../../core/base/bytes.ts';

/**
 * Writes text that filters or configuration made where a target or host stands: what may not stand there is
 * percent-encoded, so that it can never begin another line. Takes up to three bytes a character.
 */
export function writeTarget(target: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code - 33) >>> 0 < 94) target[at++] = code;
    else at = writePercent(target, at, code & 255);
  }
  return at;
}

function writePercent(target: Buffer, at: number, byte: number): number {
  target[at++] = 37;
  target[at++] = hexDigit(byte >> 4);
  target[at++] = hexDigit(byte & 15);
  return at;
}

function hexDigit(value: number): number {
  return value < 10 ? value + 48 : value + 87;
}

/** Decimal digits of a non-negative integer; returns the offset behind them. */
export function writeDecimal(target: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  const end = at + digits;
  for (let place = end - 1; place >= at; place--) {
    const rest = Math.floor(value / 10);
    target[place] = value - rest * 10 + 48;
    value = rest;
  }
  return end;
}

/** Hexadecimal digits of a positive integer below 2^32, then CR LF; returns the offset behind them. */
export function writeChunkSize(target: Buffer, at: number, sizeBytes: number): number {
  let shift = 28;
  while (shift > 0 && sizeBytes >>> shift === 0) shift -= 4;
  for (; shift >= 0; shift -= 4) target[at++] = hexDigit((sizeBytes >>> shift) & 15);
  target[at++] = 13;
  target[at++] = 10;
  return at;
}
