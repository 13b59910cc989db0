import { typesKnown } from '../rpc/java-types.ts';
import { parseJson } from './json.ts';

/** Arguments as an HTTP body says them. */
export interface JsonCall {
  readonly args: readonly unknown[];
  /** Null: the body does not say. */
  readonly argTypes: readonly string[] | null;
}

/**
 *   (empty)                                no arguments
 *   ["ann", 1]                             two
 *   {"args": [...], "argTypes": [...]}     with Java types; argTypes may be left out
 *   anything else                          one
 *
 * @returns the call, or what is wrong
 */
export function readJsonCall(body: Buffer): JsonCall | string {
  if (body.length === 0) return { args: [], argTypes: null };
  const value = parseJson(body);
  if (value === undefined) return 'the body is not JSON';
  if (Array.isArray(value)) return { args: value, argTypes: null };
  if (!isEnvelope(value)) return { args: [value], argTypes: null };
  const { args, argTypes = null } = value;
  if (argTypes === null) return { args, argTypes };
  if (!Array.isArray(argTypes) || argTypes.length !== args.length || !typesKnown(argTypes)) {
    return 'argTypes: a list of Java type names, one for each argument, is needed';
  }
  return { args, argTypes };
}

function isEnvelope(value: unknown): value is { args: unknown[]; argTypes?: readonly string[] } {
  if (typeof value !== 'object' || value === null || !('args' in value) || !Array.isArray(value.args))
    return false;
  return Object.keys(value).every((key) => key === 'args' || key === 'argTypes');
}
