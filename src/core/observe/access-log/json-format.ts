import { HeddleError } from '../../base/errors.ts';
import { LineFormat, type Piece } from './line-format.ts';
import { parseFormat } from './parse-format.ts';
import type { Value } from './values.ts';

/** A JSON line: strings may hold operators, everything else is itself. */
export type JsonTemplate = { readonly [key: string]: JsonTemplateValue };
type JsonTemplateValue = string | number | boolean | null | JsonTemplate | readonly JsonTemplateValue[];

const maxDepth = 8;

/** Every problem of a template, with the key it belongs to. */
export function checkJsonTemplate(template: JsonTemplate): string[] {
  return new TemplateCompiler().compile(template).problems;
}

/**
 * Compiles a template. A string that is one operator gives that value: a number where it is one, null where it is
 * unset. A string with text and operators gives a string, unset values as "-".
 *
 * @throws HeddleError ERR_CONFIG_INVALID with every problem
 */
export function compileJson(template: JsonTemplate): LineFormat {
  const { pieces, tail, problems } = new TemplateCompiler().compile(template);
  if (problems.length > 0) throw new HeddleError('ERR_CONFIG_INVALID', problems.join('; '));
  return new LineFormat('json', pieces, tail);
}

/** The static JSON text between values is collected in `before`. */
class TemplateCompiler {
  readonly pieces: Piece[] = [];
  readonly problems: string[] = [];
  tail = '';

  compile(template: JsonTemplate): this {
    this.#any(template, 'json', 0);
    return this;
  }

  #any(value: JsonTemplateValue, path: string, depth: number): void {
    if (typeof value === 'string') this.#text(value, path);
    else if (value === null || typeof value !== 'object') this.tail += JSON.stringify(value);
    else if (depth >= maxDepth) this.problems.push(`${path}: nested deeper than ${maxDepth}`);
    else if (Array.isArray(value)) this.#list(value, path, depth);
    else this.#object(value as JsonTemplate, path, depth);
  }

  #list(list: readonly JsonTemplateValue[], path: string, depth: number): void {
    this.tail += '[';
    list.forEach((each, i) => {
      if (i > 0) this.tail += ',';
      this.#any(each, `${path}[${i}]`, depth + 1);
    });
    this.tail += ']';
  }

  #object(object: JsonTemplate, path: string, depth: number): void {
    this.tail += '{';
    Object.keys(object).forEach((key, i) => {
      this.tail += `${i > 0 ? ',' : ''}${JSON.stringify(key)}:`;
      this.#any(object[key] as JsonTemplateValue, `${path}.${key}`, depth + 1);
    });
    this.tail += '}';
  }

  #text(text: string, path: string): void {
    const { parts, problems } = parseFormat(text);
    this.problems.push(...problems.map((problem) => `${path}: ${problem}`));
    const [only] = parts;
    if (parts.length === 1 && typeof only === 'object') {
      this.#value(only, only.kind === 'text');
      return;
    }
    this.tail += '"';
    for (const part of parts) {
      if (typeof part === 'string') this.tail += JSON.stringify(part).slice(1, -1);
      else this.#value(orDash(part), false);
    }
    this.tail += '"';
  }

  #value(value: Value, isQuoted: boolean): void {
    this.pieces.push({ before: this.tail, value, isQuoted });
    this.tail = '';
  }
}

/** Inside a longer string an unset value is a dash, as in text. */
function orDash(value: Value): Value {
  return {
    kind: 'text',
    write(out, s) {
      if (!value.write(out, s)) out.text('-');
      return true;
    },
  };
}
