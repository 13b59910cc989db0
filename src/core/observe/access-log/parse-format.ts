import { nearestWord } from '../../base/nearest-word.ts';
import { defaultLimit, operators } from './operators.ts';
import type { Value } from './values.ts';
import { variableNames, variableValue } from './variables.ts';

/** A format taken apart: literal text and values in turn. */
export interface ParsedFormat {
  readonly parts: readonly (string | Value)[];
  /** What is wrong, one sentence each; the parts are of no use then. */
  readonly problems: readonly string[];
}

const envoyOperator = /%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::(\d{1,5}))?%/y;
const mosnVariable = /%([a-z][A-Za-z0-9_-]*)%/y;
const maxFormatLength = 8192;

/**
 * Takes a format apart: Envoy's `%NAME(argument):limit%`, MOSN's `%name%`, `%%` and `\%` for a percent sign, mixed as
 * one likes.
 */
export function parseFormat(text: string): ParsedFormat {
  if (text.length > maxFormatLength) {
    return { parts: [], problems: [`the format is longer than ${maxFormatLength} characters`] };
  }
  const parts: (string | Value)[] = [];
  const problems: string[] = [];
  let literal = '';
  for (let at = 0; at < text.length; ) {
    const isEscaped = text.startsWith('%%', at) || text.startsWith('\\%', at);
    if (text[at] !== '%' || isEscaped) {
      literal += isEscaped ? '%' : text[at];
      at += isEscaped ? 2 : 1;
      continue;
    }
    const found = parseOperator(text, at);
    if (typeof found.result === 'string') {
      problems.push(found.result);
    } else {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(found.result);
    }
    at = found.end;
  }
  if (literal !== '') parts.push(literal);
  return { parts, problems };
}

function parseOperator(text: string, at: number): { result: Value | string; end: number } {
  envoyOperator.lastIndex = mosnVariable.lastIndex = at;
  const operator = envoyOperator.exec(text);
  if (operator !== null) {
    const [all, name = '', argument, limit] = operator;
    return { result: operatorValue(name, argument, limit), end: at + all.length };
  }
  const variable = mosnVariable.exec(text);
  if (variable === null) {
    const shown = JSON.stringify(text.slice(at, at + 24));
    return {
      result: `no operator begins at character ${at}: ${shown}; write %% for a percent sign`,
      end: at + 1,
    };
  }
  const [all, name = ''] = variable;
  return { result: variableValue(name) ?? unknown(`%${name}%`, name, variableNames), end: at + all.length };
}

function operatorValue(
  name: string,
  argument: string | undefined,
  limit: string | undefined,
): Value | string {
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (operator === undefined) return unknown(`%${name}%`, name, Object.keys(operators));
  if (argument === undefined && operator.argument === 'required')
    return `%${name}% needs an argument in parentheses`;
  if (argument !== undefined && operator.argument === 'none') return `%${name}% takes no argument`;
  const problem = argument === undefined ? null : (operator.check?.(argument) ?? null);
  if (problem !== null) return `%${name}(${argument})%: ${problem}`;
  return operator.create({
    argument: argument ?? null,
    limit: limit === undefined ? defaultLimit : Math.min(Number(limit), defaultLimit),
  });
}

function unknown(shown: string, name: string, known: readonly string[]): string {
  const nearest = nearestWord(name, known);
  return `${shown} is not known${nearest === null ? '' : `; did you mean %${nearest}%?`}`;
}
