import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import {
  type AgentOptions,
  checkMonitorOptions,
  HeddleError,
  messageOf,
  monitorSettingNames,
  type ProcessMatch,
} from '../../src/diagnostics/index.ts';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `500ms`, `5s`, `10m`, `1h`, or a bare number of seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('use a number with ms, s, m or h, for example 5s');
  return Number(number) * units[unit as keyof typeof units];
}

/** A count of something: a whole number of at least `least`. */
export const parseWhole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
    throw new InvalidArgumentError(`use a whole number, ${range}`);
  };

/**
 * Where captures of another process go: as the caller of the command names it, not seen from that process.
 * Without a word of the caller that process decides.
 */
export function directoryOption(given: string | undefined): { readonly directory?: string } {
  const named = given ?? process.env['HEDDLE_PROFILES'] ?? '';
  return named === '' ? {} : { directory: resolve(named) };
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

/** Reads YAML or JSON and checks its rules. @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID, ERR_OPTION_INVALID, ERR_MONITOR_RULES */
export function readRulesFile(path: string): RulesFile {
  const content = readYaml(path);
  const { match, socket, ...monitor } = isSettings(content) ? content : { rules: content };
  try {
    checkMonitorOptions(monitor);
  } catch (thrown) {
    const detail = `${path}: ${detailOf(thrown)}`;
    const code =
      thrown instanceof HeddleError && thrown.code === 'ERR_MONITOR_RULES'
        ? thrown.code
        : 'ERR_OPTION_INVALID';
    throw new HeddleError(code, detail, { cause: thrown, source: 'config' });
  }
  if (socket !== undefined && (typeof socket !== 'string' || socket === ''))
    throw invalid(`${path}: socket: the path of a unix socket is a text`);
  return {
    monitor: atHome(monitor as AgentOptions),
    match: match === undefined ? undefined : matchesOf(match, path),
    socket,
  };
}

function readYaml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeddleError('ERR_CONFIG_READ', messageOf(cause), { cause });
  }
  try {
    return parse(text);
  } catch (cause) {
    // The parser shows the line below its message.
    const [reason = ''] = messageOf(cause).split('\n');
    throw new HeddleError('ERR_CONFIG_INVALID', `${path}: ${reason.replace(/:$/, '')}`, { cause });
  }
}

/** Settings are told from rules by their names: no rule is called like a setting. */
function isSettings(content: unknown): content is Record<string, unknown> {
  return (
    typeof content === 'object' &&
    content !== null &&
    !Array.isArray(content) &&
    Object.keys(content).some((key) => settingNames.has(key))
  );
}

const settingNames: ReadonlySet<string> = new Set(['match', 'socket', ...monitorSettingNames]);

/** Paths as the reader of the file sees them: the process that is attached to works in a directory of its own. */
function atHome(monitor: AgentOptions): AgentOptions {
  const { directory, record, sinks } = monitor;
  return {
    ...monitor,
    ...(directory !== undefined && { directory: resolve(directory) }),
    ...(typeof record === 'object' &&
      record.path !== undefined && { record: { ...record, path: resolve(record.path) } }),
    ...(sinks !== undefined && {
      sinks: sinks.map((sink) => (sink.type === 'directory' ? { ...sink, path: resolve(sink.path) } : sink)),
    }),
  };
}

const detailOf = (thrown: unknown): string => {
  const problems = thrown instanceof HeddleError ? thrown.context['problems'] : undefined;
  return Array.isArray(problems) ? problems.join('; ') : messageOf(thrown);
};

const matchKeys = ['name', 'commandLine', 'labels'];

/** A misspelt condition would match every process, and a number no process: both are refused. */
function matchesOf(match: unknown, path: string): ProcessMatch[] {
  const list: unknown[] = Array.isArray(match) ? match : [match];
  for (const [index, one] of list.entries()) {
    const problem = problemOfMatch(one);
    if (problem !== undefined) throw invalid(`${path}: match.${index}${problem}`);
  }
  return list as ProcessMatch[];
}

function problemOfMatch(one: unknown): string | undefined {
  if (typeof one !== 'object' || one === null) return ': a condition is a map';
  const { name, commandLine, labels, ...unknown } = one as Record<string, unknown>;
  const [strange] = Object.keys(unknown);
  if (strange !== undefined) return `: unknown condition "${strange}"; there are ${matchKeys.join(', ')}`;
  for (const [key, value] of Object.entries({ name, commandLine }))
    if (value !== undefined && typeof value !== 'string') return `.${key}: put ${String(value)} in quotes`;
  if (labels === undefined) return undefined;
  if (typeof labels !== 'object' || labels === null) return '.labels: labels are a map';
  const wrong = Object.entries(labels).find(([, value]) => typeof value !== 'string');
  return wrong === undefined ? undefined : `.labels.${wrong[0]}: put ${String(wrong[1])} in quotes`;
}

const invalid = (detail: string): HeddleError =>
  new HeddleError('ERR_OPTION_INVALID', detail, { source: 'config' });

/** `cpu.abs=80` into `{ cpu: { abs: 80 } }`, on top of what earlier ones said. */
export function collectChange(text: string, changes: Record<string, Record<string, unknown>> = {}) {
  const [, rule, setting, value = ''] = /^([\w-]+)\.(\w+)=(.*)$/.exec(text) ?? [];
  if (rule === undefined || setting === undefined) {
    throw new InvalidArgumentError('use rule.setting=value, for example stall.aboveMs=800');
  }
  return { ...changes, [rule]: { ...changes[rule], [setting]: parse(value) as unknown } };
}
