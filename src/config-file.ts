import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { textChecks } from './assembly/check-texts.ts';
import { HeddleError, messageOf } from './core/base/errors.ts';
import { mergeExtensions, type UsedExtension } from './core/config/extensions.ts';
import { type ConfigDialect, type LoadResult, loadConfigText } from './core/config/load.ts';
import type { FolderFile } from './core/config/mosn/index.ts';
import { configError } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';

import { standard } from './standard.ts';

/** How a configuration file is read. */
export interface ConfigFileOptions {
  /** Extensions beside the built-in ones. */
  readonly use?: readonly UsedExtension[] | undefined;
  /** Whose configuration it is. @default told by its keys */
  readonly format?: ConfigDialect | undefined;
  /** For MOSN's: skip with a notice what MOSN skips, unknown keys first of all. @default false */
  readonly lenient?: boolean | undefined;
}

/** Reads and checks a file without running it: `heddle check`. @throws HeddleError ERR_CONFIG_READ */
export async function checkConfigFile(path: string, options: ConfigFileOptions = {}): Promise<LoadResult> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw new HeddleError('ERR_CONFIG_READ', `${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
  const { use, format, lenient = false } = options;
  const source = { path, ...(format === undefined ? {} : { dialect: format }) };
  return loadConfigText(text, source, mergeExtensions(standard, use), {
    ...textChecks,
    lenient,
    readFolder: (folder) => readFolder(resolve(dirname(path), folder)),
    absolutePath: (given) => resolve(given),
  });
}

/** The effective configuration of a file. @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID with every problem */
export async function loadConfigFile(
  path: string,
  options: ConfigFileOptions = {},
): Promise<EffectiveConfig> {
  return requireLoaded(await checkConfigFile(path, options));
}

/** The configuration of a file that was read. @throws HeddleError ERR_CONFIG_INVALID with every problem */
export function requireLoaded({ config, problems }: LoadResult): EffectiveConfig {
  if (config === null) throw configError(problems);
  return config;
}

/** Null when it cannot be read. */
function readFolder(folder: string): FolderFile[] | null {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    const paths = files.map((entry) => join(folder, entry.name)).toSorted();
    return paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  } catch {
    return null;
  }
}
