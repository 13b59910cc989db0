import { LineCounter, parseDocument } from 'yaml';
import { HeddleError } from '../base/errors.ts';
import { type CheckResult, checkConfig } from './check.ts';
import type { CheckOptions } from './check-options.ts';
import type { ExtensionSet } from './extensions.ts';
import type { ConfigPath } from './problems.ts';

/** Characters of a configuration text that are read. */
const maxLength = 64 * 1024 * 1024;
const maxAliases = 100;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads YAML or JSON (which is YAML) and checks it. Problems name file and line.
 *
 * @throws HeddleError ERR_CONFIG_INVALID for a text that is no YAML, has duplicate or forbidden keys, or is too long
 */
export function loadConfigText(
  text: string,
  source: { readonly path: string },
  extensions: ExtensionSet,
  options: Omit<CheckOptions, 'file' | 'locate'> = {},
): CheckResult {
  const { value, locate } = parseConfigText(text, source.path);
  return checkConfig(value, extensions, { ...options, file: source.path, locate });
}

/** The plain value of a configuration text and where its parts stand. @throws HeddleError ERR_CONFIG_INVALID */
export function parseConfigText(
  text: string,
  file: string,
): { readonly value: unknown; readonly locate: (path: ConfigPath) => number | null } {
  if (text.length > maxLength) {
    throw new HeddleError('ERR_CONFIG_INVALID', `${file} has more than ${maxLength} characters`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false });
  const [first] = document.errors;
  if (first !== undefined) {
    const { line } = lines.linePos(first.pos[0]);
    throw new HeddleError('ERR_CONFIG_INVALID', `${file}:${line}: ${first.message.split('\n', 1)[0]}`);
  }
  const value: unknown = document.toJS({ maxAliasCount: maxAliases });
  refuseKeys(value, file);
  const locate = (path: ConfigPath): number | null => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range != null) return lines.linePos(node.range[0]).line;
    }
    return null;
  };
  return { value, locate };
}

function refuseKeys(value: unknown, file: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.getOwnPropertyNames(value)) {
    if (forbiddenKeys.has(key))
      throw new HeddleError('ERR_CONFIG_INVALID', `${file}: the key ${key} is not allowed`);
    refuseKeys((value as Record<string, unknown>)[key], file);
  }
}
