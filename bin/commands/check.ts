import type { Command } from 'commander';
import { checkConfigFile, formatProblems } from '../../src/index.ts';
import { addConfigOptions, type ConfigOptions, fileOptions, printNotices } from '../config-options.ts';

export function register(program: Command): void {
  const command = program
    .command('check')
    .description('check a configuration file and list every problem; exit code 2 when there is one')
    .option('--json', 'print { ok, format, problems, notices } as JSON');
  addConfigOptions(command).action(async (options: ConfigOptions & { json?: boolean }) => {
    const loaded = await checkConfigFile(options.config, fileOptions(options));
    const { config, problems, notices, dialect } = loaded;
    if (config === null) process.exitCode = 2;
    if (options.json) {
      console.log(JSON.stringify({ ok: config !== null, format: dialect, problems, notices }));
      return;
    }
    printNotices(loaded);
    if (config === null) {
      console.error(formatProblems(problems));
      return;
    }
    const { listeners, clusters } = config;
    console.log(`${options.config} is fine: ${count(listeners, 'listener')}, ${count(clusters, 'cluster')}`);
  });
}

const count = (list: readonly unknown[], what: string): string =>
  `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
