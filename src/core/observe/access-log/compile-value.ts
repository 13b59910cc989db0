import { checkHeader } from '../../base/header-field.ts';
import { latin1 } from '../../base/latin1.ts';
import type { Stream } from '../../contract/stream.ts';
import { LineBuffer } from './line-buffer.ts';
import { compileText } from './line-format.ts';
import { parseFormat } from './parse-format.ts';

/** A header value made from operators is cut here. */
const maxHeaderValueBytes = 4096;

/** Whether a configured header value holds operators and so differs from request to request. */
export function hasOperators(text: string): boolean {
  return parseFormat(text).parts.some((part) => typeof part !== 'string');
}

/** What is wrong with a configured header value, one sentence each. */
export function checkValue(text: string): readonly string[] {
  return parseFormat(text).problems;
}

/** The text of a value without operators: `%%` becomes a percent sign. */
export function literalValue(text: string): string {
  return parseFormat(text).parts.join('');
}

/**
 * Compiles a header value with operators. Unset values are empty; characters that may not stand in a header become
 * `?`, so that nothing a stranger sends can break the value or the head.
 *
 * @throws HeddleError ERR_CONFIG_INVALID with every problem, ERR_HEADER_INVALID for a literal part that cannot be sent
 */
export function compileValue(text: string): (s: Stream) => string {
  const { parts } = parseFormat(text);
  checkHeader('value', parts.filter((part) => typeof part === 'string').join(''));
  const format = compileText(text, 'header');
  if (!parts.some((part) => typeof part !== 'string')) {
    const value = literalValue(text);
    return () => value;
  }
  let scratch: LineBuffer | null = null;
  return (s) => {
    scratch ??= new LineBuffer(maxHeaderValueBytes, 'header');
    scratch.at = 0;
    format.write(scratch, s, maxHeaderValueBytes);
    return latin1(scratch.bytes, 0, scratch.at);
  };
}
