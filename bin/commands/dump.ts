import type { Command } from 'commander';
import { stringify } from 'yaml';
import { loadConfigFile } from '../../src/index.ts';

export function register(program: Command): void {
  program
    .command('dump')
    .description('print the effective configuration of a file, every default filled in, secrets redacted')
    .option('-c, --config <file>', 'YAML or JSON', 'heddle.yaml')
    .option('--json', 'JSON instead of YAML')
    .action(async (options: { config: string; json?: boolean }) => {
      const plain: unknown = JSON.parse(JSON.stringify(await loadConfigFile(options.config)));
      console.log(options.json ? JSON.stringify(plain, null, 2) : stringify(plain).trimEnd());
    });
}
