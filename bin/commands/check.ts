import type { Command } from 'commander';
import { checkConfigFile, formatProblems } from '../../src/index.ts';

export function register(program: Command): void {
  program
    .command('check')
    .description('check a configuration file and list every problem; exit code 2 when there is one')
    .option('-c, --config <file>', 'YAML or JSON', 'heddle.yaml')
    .option('--json', 'print { ok, problems } as JSON')
    .action(async (options: { config: string; json?: boolean }) => {
      const { config, problems } = await checkConfigFile(options.config);
      if (options.json) console.log(JSON.stringify({ ok: config !== null, problems }));
      else if (config !== null) {
        const { listeners, clusters } = config;
        console.log(
          `${options.config} is fine: ${count(listeners, 'listener')}, ${count(clusters, 'cluster')}`,
        );
      } else console.error(formatProblems(problems));
      if (config === null) process.exitCode = 2;
    });
}

const count = (list: readonly unknown[], what: string): string =>
  `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
