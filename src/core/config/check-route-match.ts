import { parsePathTemplate } from '../base/path-template.ts';
import { patternProblem } from '../base/pattern.ts';
import type { CheckOptions } from './check-options.ts';
import type { Cursor } from './cursor.ts';
import type { ProblemList } from './problems.ts';
import { refuseTogether } from './repeats.ts';

/** Keys of which a match has one at most. */
export const pathKinds = ['path', 'prefix', 'segmentPrefix', 'template', 'regex'];
/** As `pathKinds`, of a condition on a text. */
export const textKinds = ['exact', 'prefix', 'suffix', 'contains', 'regex', 'present'];
/** Variables that hold an IP address. */
const addresses = ['sourceAddress', 'clientAddress'];

export function checkMatch(match: Cursor, options: CheckOptions, problems: ProblemList): void {
  refuseTogether(match, pathKinds, problems);
  checkPattern(match.at('regex'), problems);
  checkTemplate(match.at('template'), problems);
  for (const key of ['headers', 'query', 'cookies', 'metadata']) {
    for (const each of match.at(key).items()) checkText(each, textKinds, problems);
  }
  for (const each of match.at('variables').items()) checkVariable(each, problems);
  checkExpression(match.at('expression'), options, problems);
}

function checkText(condition: Cursor, kinds: readonly string[], problems: ProblemList): void {
  refuseTogether(condition, kinds, problems);
  checkPattern(condition.at('regex'), problems);
}

function checkVariable(condition: Cursor, problems: ProblemList): void {
  checkText(condition, [...textKinds, 'within'], problems);
  const name = condition.at('name').text();
  if (!condition.has('within') || name === null || addresses.includes(name)) return;
  const place = condition.at('within');
  problems.add(place.path, place.value, `a condition on text, as ${name} is no address`);
}

function checkTemplate(place: Cursor, problems: ProblemList): void {
  const text = place.text();
  if (text === null) return;
  const template = parsePathTemplate(text);
  if (typeof template === 'string') problems.add(place.path, text, `a path template (${template})`);
}

function checkExpression(place: Cursor, options: CheckOptions, problems: ProblemList): void {
  const text = place.text();
  const reason = text === null ? null : (options.checkExpression?.(text) ?? null);
  if (reason !== null) problems.add(place.path, text, `a CEL expression (${reason})`);
}

export function checkPattern(place: Cursor, problems: ProblemList): void {
  const source = place.text();
  if (source === null) return;
  const reason = patternProblem(source);
  if (reason !== null) problems.add(place.path, source, `RE2 syntax (${reason})`);
}
