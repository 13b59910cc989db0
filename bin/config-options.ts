import { type Command, Option } from 'commander';
import {
  type ConfigDialect,
  type ConfigFileOptions,
  checkConfigFile,
  type EffectiveConfig,
  formatNotices,
  type LoadResult,
  requireLoaded,
} from '../src/index.ts';

/** What every command takes that reads a configuration. */
export interface ConfigOptions {
  readonly config: string;
  readonly format?: ConfigDialect;
  readonly lenient?: boolean;
}

/** Adds `--format` and `--lenient`. */
export function addFormatOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'whose configuration it is (default: told by its keys)').choices([
        'heddle',
        'mosn',
      ]),
    )
    .option('--lenient', "MOSN's own behaviour for its files: what it skips is skipped with a notice");
}

/** Adds `-c`, `--format` and `--lenient`. */
export function addConfigOptions(command: Command): Command {
  return addFormatOptions(command.option('-c, --config <file>', 'YAML or JSON', 'heddle.yaml'));
}

export function fileOptions({
  format,
  lenient,
}: Omit<ConfigOptions, 'config'>): Omit<ConfigFileOptions, 'use'> {
  return { format, lenient };
}

/** Reads a file whose notices go to stderr. @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID */
export async function loadOrThrow(
  path: string,
  options: Omit<ConfigOptions, 'config'>,
): Promise<EffectiveConfig> {
  const loaded = await checkConfigFile(path, fileOptions(options));
  printNotices(loaded);
  return requireLoaded(loaded);
}

export function printNotices({ notices }: LoadResult): void {
  if (notices.length > 0) console.error(formatNotices(notices));
}
