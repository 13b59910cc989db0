import {
  type AgentOptions,
  type BackendChoice,
  HeddleError,
  parseRules,
  type RemoteControl,
  type RuleChanges,
} from '../../src/diagnostics/index.ts';
import { changeRules } from './change-rules.ts';
import type { WatchForm } from './forms.ts';
import { directoryOption, readRulesFile } from './options.ts';
import { note } from './text.ts';

/** Options of `heddle watch` as commander gives them. */
export interface WatchFlags {
  readonly list?: boolean;
  readonly all?: boolean;
  readonly config?: string;
  readonly rules?: string;
  readonly set?: RuleChanges;
  readonly for?: number;
  readonly directory?: string;
  readonly service?: string;
  readonly backend?: BackendChoice;
  readonly socket?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly outside?: boolean;
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly stop?: boolean;
  readonly stay?: boolean;
  readonly json?: boolean;
}

/** @throws HeddleError ERR_OPTION_INVALID when two things are asked for at once, or none. */
export function formOf(target: readonly string[], flags: WatchFlags): WatchForm {
  const [first, ...rest] = target;
  const asked = (['list', 'replay', 'all'] as const).filter((form) => flags[form] !== undefined);
  const [form, another] = asked;
  if (another !== undefined || (form !== undefined && first !== undefined))
    throw wrong(`--${form} and ${another === undefined ? `"${first}"` : `--${another}`} are two things`);
  if (form !== undefined) return form;
  if (first === undefined) throw wrong('name a process id, a command after "--", --all or --list');
  const isPid = rest.length === 0 && /^\d+$/.test(first);
  if (flags.outside && !isPid) throw wrong('--outside goes with a process id');
  if (flags.outside) return 'outside';
  return isPid ? 'process' : 'command';
}

const wrong = (detail: string): HeddleError =>
  new HeddleError('ERR_OPTION_INVALID', detail, { source: 'config' });

/** Settings of the monitor that is started: file, then options. */
export function monitorOptions(flags: WatchFlags): AgentOptions {
  const file = flags.rules ?? flags.config;
  const given = file === undefined ? {} : readRulesFile(file).monitor;
  const rules = flags.set === undefined ? given.rules : changeRules(given.rules, flags.set);
  if (flags.set !== undefined) parseRules(rules);
  const directory = given.directory === undefined || flags.directory !== undefined;
  return {
    ...given,
    ...(rules !== undefined && { rules }),
    ...(directory && directoryOption(flags.directory)),
    ...(flags.service !== undefined && { service: flags.service }),
    ...(flags.backend !== undefined && { backend: flags.backend }),
  };
}

/** Why another backend is used than the one asked for, if that is so. */
export async function noteBackend(control: RemoteControl): Promise<void> {
  const { service, pid, backend } = await control.status();
  // A monitor of an earlier version says nothing of it.
  if (backend?.note) note(`${service}[${pid}]: ${backend.note}`);
}
