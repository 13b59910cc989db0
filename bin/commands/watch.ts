import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  AgentHub,
  type AgentOptions,
  attach,
  type BackendChoice,
  changedRules,
  controlDirectory,
  HeddleError,
  launch,
  listNodeProcesses,
  parseRules,
  type RemoteControl,
  refusalOf,
  removeStaleSockets,
  WatchDaemon,
} from '../../src/diagnostics/index.ts';

import { tellEvent, watchLive } from '../monitor/live.ts';
import { collectChange, parseDuration, parsePid, readRulesFile } from '../monitor/options.ts';
import { openRecording, replay } from '../monitor/recording.ts';
import { formatTable, formatValue, note } from '../monitor/text.ts';

interface WatchFlags {
  readonly list?: boolean;
  readonly all?: boolean;
  readonly config?: string;
  readonly rules?: string;
  readonly set?: Record<string, Record<string, unknown>>;
  readonly for?: number;
  readonly directory?: string;
  readonly service?: string;
  readonly backend?: BackendChoice;
  readonly socket?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly stop?: boolean;
  readonly stay?: boolean;
  readonly json?: boolean;
}

const backends = ['inspector', 'datadog', 'pprof', 'auto'] as const;

/** `heddle watch`: put a monitor into a process, start one with it, or watch all of them. */
export function register(program: Command): void {
  program
    .command('watch')
    .description('Watch a Node.js process: profiles are taken when a rule fires')
    .argument('[target...]', 'a process id, or after "--" a command to start')
    .usage(
      '[options] <pid> | [options] -- node app.js | --all --config rules.yaml | --list | --replay signals.jsonl',
    )
    .option('--list', 'Node.js processes of this machine and whether they can be watched')
    .option('--all', 'watch every process that the config matches, until Ctrl-C')
    .option('--config <file>', 'rules file with "match" for --all')
    .option('--rules <file>', 'rules file')
    .option(
      '--set <rule.setting=value>',
      'change a rule of a running monitor; may be given often',
      collectChange,
    )
    .option('--for <duration>', 'stop watching after this time', parseDuration)
    .option('--directory <path>', 'where captures are written')
    .option('--service <name>', 'name of the service in captures')
    .addOption(
      new Option('--backend <name>', 'what takes profiles of the main thread').choices([...backends]),
    )
    .option('--socket <path>', 'socket of the daemon (--all)')
    .option('--record <file>', 'keep the signals as JSON lines for --replay (16 MiB a file, four are kept)')
    .option('--replay <file>', 'print which rules would have fired on recorded signals (JSON lines)')
    .option('--stop', 'take the monitor out of the process')
    .option('--stay', 'leave the monitor in the process when watching ends')
    .option('--json', 'one JSON object a line')
    .action((target: string[], flags: WatchFlags) => watch(target, flags));
}

async function watch(target: readonly string[], flags: WatchFlags): Promise<void> {
  if (flags.list) return list(flags);
  if (flags.replay !== undefined)
    return replay(flags.replay, parseRules(monitorOptions(flags).rules), { json: flags.json === true });
  if (flags.all) return watchAll(flags);
  const [first, ...rest] = target;
  if (first === undefined) {
    throw new HeddleError('ERR_OPTION_INVALID', 'name a process id, a command after "--", --all or --list', {
      source: 'config',
    });
  }
  if (rest.length === 0 && /^\d+$/.test(first)) return watchOne(parsePid(first), flags);
  return start(first, rest, flags);
}

function monitorOptions(flags: WatchFlags): AgentOptions {
  const file = flags.rules ?? flags.config;
  return {
    ...(file !== undefined && readRulesFile(file).monitor),
    ...(flags.directory !== undefined && { directory: flags.directory }),
    ...(flags.service !== undefined && { service: flags.service }),
    ...(flags.backend !== undefined && { backend: flags.backend }),
  };
}

function list(flags: WatchFlags): void {
  removeStaleSockets();
  const processes = listNodeProcesses().map((facts) => ({ ...facts, refusal: refusalOf(facts) ?? '' }));
  if (flags.json) {
    for (const facts of processes) console.log(JSON.stringify(facts));
    return;
  }
  const rows = processes.map(({ pid, name, rssBytes, threads, refusal }) => [
    String(pid),
    name,
    formatValue(rssBytes, 'bytes'),
    String(threads),
    refusal === '' ? 'yes' : `no: ${refusal}`,
  ]);
  console.log(formatTable([['pid', 'name', 'rss', 'threads', 'can be watched'], ...rows]));
}

async function watchOne(pid: number, flags: WatchFlags): Promise<void> {
  const { control, wasRunning, tookMs } = await attach(pid, { monitor: monitorOptions(flags) });
  if (flags.stop) return control.stop();
  const recording = openRecording(flags.record);
  // Also after an error: the open connection would keep this command alive, and a new monitor the process's.
  try {
    if (wasRunning) await noteRunning(control, flags);
    else note(`monitor in process ${pid} after ${tookMs.toFixed(0)} ms`);
    await noteBackend(control);
    if (wasRunning && flags.rules !== undefined)
      await control.setRules(readRulesFile(flags.rules).monitor.rules);
    if (flags.set !== undefined)
      await control.setRules(changedRules((await control.status()).rules, flags.set));
    await watchLive(control, {
      json: flags.json === true,
      recording,
      ...(flags.for !== undefined && { forMs: flags.for }),
    });
  } finally {
    recording.close();
    if (wasRunning || flags.stay) control.close();
    else await control.stop();
  }
}

/** Somebody else has set it up: what was asked for and has no effect is said. */
async function noteRunning(control: RemoteControl, flags: WatchFlags): Promise<void> {
  const { pid, directory } = await control.status();
  note(`process ${pid} has a monitor already; its captures are in ${directory}`);
  const unused = (['directory', 'service', 'backend'] as const).filter((name) => flags[name] !== undefined);
  if (unused.length > 0)
    note(`it keeps its settings: ${unused.map((name) => `--${name}`).join(', ')} has no effect`);
}

/** Why another backend is used than the one asked for, if that is so. */
async function noteBackend(control: RemoteControl): Promise<void> {
  const { service, pid, backend } = await control.status();
  // A monitor of an earlier version says nothing of it.
  if (backend?.note) note(`${service}[${pid}]: ${backend.note}`);
}

/** Nothing is printed but what the monitor finds: the streams belong to the command. */
async function start(command: string, args: readonly string[], flags: WatchFlags): Promise<void> {
  const path = join(controlDirectory(), `watch-${process.pid}.sock`);
  const recording = openRecording(flags.record);
  const hub = await AgentHub.open(path, {
    onJoin: ({ control }) => void noteBackend(control).catch(() => {}),
    onEvent: ({ hello }, event) => {
      const process = `${hello.service}[${hello.pid}]`;
      recording.see(event, process);
      tellEvent(event, { json: flags.json === true, process });
    },
  });
  try {
    const monitor = { ...monitorOptions(flags), control: { listen: 'auto', dial: path } };
    const { ended } = await launch(command, args, { monitor });
    const { code, signal } = await ended;
    process.exitCode = code ?? 1;
    if (signal !== null) process.once('exit', () => process.kill(process.pid, signal));
  } finally {
    await hub.close();
    recording.close();
  }
}

async function watchAll(flags: WatchFlags): Promise<void> {
  const file = flags.config === undefined ? undefined : readRulesFile(flags.config);
  const socketPath = flags.socket ?? file?.socket ?? join(controlDirectory(), 'daemon.sock');
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  const json = flags.json === true;
  const recording = openRecording(flags.record);
  const say = (event: object, text: string): void => (json ? console.log(JSON.stringify(event)) : note(text));
  const daemon = await WatchDaemon.start({
    socketPath,
    monitor: monitorOptions(flags),
    ...(file?.match && { match: file.match }),
    onChange: ({ facts, reason }, change) => {
      const { pid, name } = facts;
      say(
        { type: change, pid, name, reason },
        `${name}[${pid}] ${change}${reason === '' ? '' : `: ${reason}`}`,
      );
    },
    onEvent: ({ facts }, event) => {
      const process = `${facts.name}[${facts.pid}]`;
      recording.see(event, process);
      tellEvent(event, { json, process });
    },
  });
  say({ type: 'listening', socketPath }, `watching; agents dial ${socketPath}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    if (flags.for !== undefined) setTimeout(resolve, flags.for);
  });
  await daemon.close();
  recording.close();
}
