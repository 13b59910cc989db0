import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import {
  type AgentOptions,
  checkMonitorOptions,
  HeddleError,
  messageOf,
  type ProcessMatch,
} from '../../src/diagnostics/index.ts';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `500ms`, `5s`, `10m`, `1h`, or a bare number of seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('use a number with ms, s, m or h, for example 5s');
  return Number(number) * units[unit as keyof typeof units];
}

export function parsePid(text: string): number {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0)
    throw new InvalidArgumentError('a process id is a whole number above 0');
  return pid;
}

/** A rules file: settings of the monitor with `rules` among them, or the rules alone; `match` and `socket` for the daemon. */
export interface RulesFile {
  readonly monitor: AgentOptions;
  readonly match: readonly ProcessMatch[] | undefined;
  readonly socket: string | undefined;
}

/** Reads YAML or JSON and checks its rules. @throws HeddleError ERR_CONFIG_READ, ERR_MONITOR_RULES */
export function readRulesFile(path: string): RulesFile {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw new HeddleError('ERR_CONFIG_READ', `${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
  const isSettings =
    typeof content === 'object' && content !== null && !Array.isArray(content) && 'rules' in content;
  const { match, socket, ...monitor } = (isSettings ? content : { rules: content }) as Record<
    string,
    unknown
  >;
  try {
    checkMonitorOptions(monitor);
  } catch (thrown) {
    throw thrown instanceof HeddleError && thrown.code === 'ERR_MONITOR_RULES'
      ? thrown
      : new HeddleError('ERR_OPTION_INVALID', `${path}: ${detailOf(thrown)}`, { cause: thrown });
  }
  return {
    monitor: monitor as AgentOptions,
    match: match === undefined ? undefined : matchesOf(match, path),
    socket: socket as string | undefined,
  };
}

const detailOf = (thrown: unknown): string => {
  const problems = thrown instanceof HeddleError ? thrown.context['problems'] : undefined;
  return Array.isArray(problems) ? problems.join('; ') : messageOf(thrown);
};

const matchKeys = ['name', 'commandLine', 'labels'];

/** A misspelt condition would match every process: it is refused. */
function matchesOf(match: unknown, path: string): ProcessMatch[] {
  const list: unknown[] = Array.isArray(match) ? match : [match];
  for (const [index, one] of list.entries()) {
    const isMap = typeof one === 'object' && one !== null;
    const wrong = isMap ? Object.keys(one).find((key) => !matchKeys.includes(key)) : undefined;
    if (isMap && wrong === undefined) continue;
    const what = isMap ? `unknown condition "${wrong}"` : 'a condition is a map';
    const detail = `${path}: match.${index}: ${what}; there are ${matchKeys.join(', ')}`;
    throw new HeddleError('ERR_OPTION_INVALID', detail);
  }
  return list as ProcessMatch[];
}

/** `cpu.abs=80` into `{ cpu: { abs: 80 } }`, on top of what earlier ones said. */
export function collectChange(text: string, changes: Record<string, Record<string, unknown>> = {}) {
  const [, rule, setting, value = ''] = /^([\w-]+)\.(\w+)=(.*)$/.exec(text) ?? [];
  if (rule === undefined || setting === undefined) {
    throw new InvalidArgumentError('use rule.setting=value, for example stall.aboveMs=800');
  }
  return { ...changes, [rule]: { ...changes[rule], [setting]: parse(value) as unknown } };
}
