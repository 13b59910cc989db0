import type { Command } from 'commander';
import { stringify } from 'yaml';
import { dumpConfig } from '../../src/index.ts';
import { addConfigOptions, type ConfigOptions, loadOrThrow } from '../config-options.ts';

export function register(program: Command): void {
  const command = program
    .command('dump')
    .description('print the effective configuration of a file, every default filled in')
    .option('--json', 'JSON instead of YAML')
    .option('--secrets', 'print secrets too, so that the dump runs again; without it they read [redacted]');
  addConfigOptions(command).action(async (options: ConfigOptions & { json?: boolean; secrets?: boolean }) => {
    const secrets = options.secrets === true ? 'reveal' : 'redact';
    const plain = dumpConfig(await loadOrThrow(options.config, options), { secrets });
    console.log(options.json ? JSON.stringify(plain, null, 2) : stringify(plain).trimEnd());
  });
}
