import * as v from 'valibot';
import { type ConfigPath, missing, type ProblemList } from './problems.ts';
import { mesh } from './schema/mesh.ts';

/** Checks types, ranges and keys. Returns the value with defaults filled in as far as it could be read. */
export function checkStructure(input: unknown, problems: ProblemList): unknown {
  const result = v.safeParse(mesh, input);
  for (const issue of result.issues ?? []) addIssue(issue, [], problems);
  return result.output;
}

/** Adds what a valibot schema found. @param at where the value that the schema saw stands */
export function addIssue(issue: v.BaseIssue<unknown>, at: ConfigPath, problems: ProblemList): void {
  const path = [...at, ...(issue.path ?? []).map((item) => item.key as string | number)];
  if ((issue.type as string) === 'unknown_key') {
    const known = issue.requirement as unknown as readonly string[];
    problems.add(path, issue.input, `no such key; the keys here are ${known.join(', ')}`, known);
    return;
  }
  const isMissing = issue.path?.at(-1)?.origin === 'key' && issue.input === undefined;
  if (isMissing) problems.add(path, missing, 'this key is required');
  else problems.add(path, issue.input, describeAllowed(issue), wordsOf(issue));
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  strict_object: 'an object',
  object: 'an object',
  record: 'an object',
  integer: 'a whole number',
  union: 'a text or an object',
};

function describeAllowed(issue: v.BaseIssue<unknown>): string {
  // A message of our own schemas says what is allowed; valibot's own begin with "Invalid".
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.type === 'picklist')
    return (issue.expected ?? '').replace(/^\(|\)$/g, '').replaceAll(' | ', ', ');
  if (issue.type === 'min_value') return `at least ${String(issue.requirement)}`;
  if (issue.type === 'max_value') return `at most ${String(issue.requirement)}`;
  if (issue.type === 'max_length') return `at most ${String(issue.requirement)} characters`;
  return kinds[issue.type] ?? issue.expected ?? issue.message;
}

function wordsOf(issue: v.BaseIssue<unknown>): string[] {
  if (issue.type !== 'picklist') return [];
  return [...(issue.expected ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] as string);
}
