import type { Command } from 'commander';
import {
  type ConfigChange,
  changesBetween,
  diffConfig,
  type EffectiveConfig,
  planReload,
  type ReloadStep,
} from '../../src/index.ts';
import { addFormatOptions, type ConfigOptions, loadOrThrow } from '../config-options.ts';

const differs = 1;
/** Longer values are shown by their beginning. */
const maxShown = 100;

export function register(program: Command): void {
  const command = program
    .command('diff')
    .description('compare what two configuration files mean; exit code 0 the same, 1 different, 2 bad')
    .argument('<before>', 'YAML or JSON of any format')
    .argument('<after>', 'YAML or JSON of any format')
    .option('--json', 'print { equal, changes, reload, ... } as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  heddle diff heddle.yaml heddle.yaml.new\n  heddle diff mosn.json heddle.yaml',
    );
  addFormatOptions(command).action(
    async (before: string, after: string, options: Omit<ConfigOptions, 'config'> & { json?: boolean }) => {
      // One after the other, so that the notices of the two do not mix.
      const earlier = await loadOrThrow(before, options);
      const later = await loadOrThrow(after, options);
      if (show(earlier, later, options.json === true)) process.exitCode = differs;
    },
  );
}

/** @returns whether they differ */
function show(before: EffectiveConfig, after: EffectiveConfig, isJson: boolean): boolean {
  const { isEqual: equal, listeners, clusters, parts } = diffConfig(before, after);
  const changes = changesBetween(before, after);
  const reload = planReload(before, after);
  if (isJson) console.log(JSON.stringify({ equal, listeners, clusters, parts, changes, reload }, null, 2));
  else if (equal) console.log('the same');
  else
    console.log([...changes.map(changeLine), '', 'A reload would:', ...reload.flatMap(stepLines)].join('\n'));
  return !equal;
}

function changeLine({ path, kind, before, after }: ConfigChange): string {
  if (kind === 'added') return `+ ${path}: ${text(after)}`;
  if (kind === 'removed') return `- ${path}: ${text(before)}`;
  return `~ ${path}: ${text(before)} -> ${text(after)}`;
}

function text(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > maxShown ? `${json.slice(0, maxShown - 3)}...` : json;
}

function stepLines({ part, name, action, keeps, replaces }: ReloadStep): string[] {
  return [
    `  ${action} ${part}${name === '' ? '' : ` ${name}`}`,
    ...keeps.map((each) => `    keeps ${each}`),
    ...replaces.map((each) => `    replaces ${each}`),
  ];
}
