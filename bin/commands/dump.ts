import type { Command } from 'commander';
import { stringify } from 'yaml';
import { dumpConfig, loadConfigFile } from '../../src/index.ts';

export function register(program: Command): void {
  program
    .command('dump')
    .description('print the effective configuration of a file, every default filled in')
    .option('-c, --config <file>', 'YAML or JSON', 'heddle.yaml')
    .option('--json', 'JSON instead of YAML')
    .option('--secrets', 'print secrets too, so that the dump runs again; without it they read [redacted]')
    .action(async (options: { config: string; json?: boolean; secrets?: boolean }) => {
      const secrets = options.secrets === true ? 'reveal' : 'redact';
      const plain = dumpConfig(await loadConfigFile(options.config), { secrets });
      console.log(options.json ? JSON.stringify(plain, null, 2) : stringify(plain).trimEnd());
    });
}
