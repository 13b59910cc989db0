import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  AgentHub,
  controlDirectory,
  controlSocketPath,
  HeddleError,
  launch,
  listNodeProcesses,
  parseRules,
  refusalOf,
  removeStaleSockets,
} from '../../src/diagnostics/index.ts';
import { checkForm } from '../monitor/forms.ts';
import { tellEvent } from '../monitor/live.ts';
import { collectChange, parseDuration, parsePid } from '../monitor/options.ts';
import { watchOutside } from '../monitor/outside.ts';
import { openRecording, replay } from '../monitor/recording.ts';
import { formatTable, formatValue } from '../monitor/text.ts';
import { stopAll, watchAll } from '../monitor/watch-all.ts';
import { formOf, monitorOptions, noteBackend, type WatchFlags } from '../monitor/watch-flags.ts';
import { watchOne } from '../monitor/watch-process.ts';

const backends = ['inspector', 'datadog', 'pprof', 'auto'] as const;

/** `heddle watch`: put a monitor into a process, start one with it, or watch all of them. */
export function register(program: Command): void {
  program
    .command('watch')
    .description('watch a Node.js process: profiles are taken when a rule fires')
    .argument('[target...]', 'a process id, or after "--" a command to start')
    .usage(
      '[options] <pid> | <pid> --outside | [options] -- node app.js | --all --config rules.yaml | --list | --replay signals.jsonl',
    )
    .option('--list', 'Node.js processes of this machine and whether they can be watched')
    .option('--all', 'watch every process that the config matches, until Ctrl-C')
    .option('--config <file>', 'settings and rules for --all, with "match" and "socket"')
    .option('--rules <file>', 'rules, or settings with rules among them (YAML or JSON)')
    .option(
      '--set <rule.setting=value>',
      'change one setting of a rule, also of a running monitor; may be given often',
      collectChange,
    )
    .option('--for <duration>', 'stop watching after this time', parseDuration)
    .option(
      '--directory <path>',
      'where captures are written (default: HEDDLE_PROFILES of this command or of the process)',
    )
    .option('--service <name>', 'name of the service in captures')
    .addOption(
      new Option('--backend <name>', 'what takes profiles of the main thread').choices([...backends]),
    )
    .option('--socket <path>', 'socket of the daemon (--all)')
    .option('--record <file>', 'keep the signals as JSON lines for --replay (16 MiB a file, four are kept)')
    .option('--replay <file>', 'print which rules would have fired on recorded signals (JSON lines)')
    .option('--outside', 'touch nothing: what /proc tells of any process, and which rules fire on it')
    .option('--pause', 'no rule of its monitor fires until --resume; signals and the recorder go on')
    .option('--resume', 'rules fire again')
    .option('--stop', 'take the monitor out of the process; with --all out of every one that matches')
    .option('--stay', 'leave the monitor in the process when watching ends')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      '\nA command that is started keeps its streams and its exit code; a signal that ends it ends this command too.',
    )
    .action((target: string[], flags: WatchFlags) => watch(target, flags));
}

async function watch(target: readonly string[], flags: WatchFlags): Promise<void> {
  const form = formOf(target, flags);
  checkForm(form, flags);
  const [first = '', ...rest] = target;
  if (form === 'list') return list(flags);
  if (form === 'replay') {
    const { rules } = monitorOptions(flags);
    return replay(flags.replay ?? '', parseRules(rules), { json: flags.json === true });
  }
  if (form === 'outside') return watchOutside(parsePid(first), flags);
  removeStaleSockets();
  if (form === 'all') return flags.stop ? stopAll(flags) : watchAll(flags);
  return form === 'process' ? watchOne(parsePid(first), flags) : start(first, rest, flags);
}

function list(flags: WatchFlags): void {
  removeStaleSockets();
  const processes = listNodeProcesses().map((facts) => ({
    ...facts,
    refusal: refusalOf(facts) ?? '',
    hasMonitor: existsSync(controlSocketPath(facts.pid)),
  }));
  if (flags.json) {
    for (const facts of processes) console.log(JSON.stringify(facts));
    return;
  }
  const rows = processes.map(({ pid, name, rssBytes, threads, refusal, hasMonitor }) => [
    String(pid),
    name,
    formatValue(rssBytes, 'bytes'),
    String(threads),
    hasMonitor ? 'yes, has a monitor' : refusal === '' ? 'yes' : `no: ${refusal}`,
  ]);
  console.log(formatTable([['pid', 'name', 'rss', 'threads', 'can be watched'], ...rows]));
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
    const { ended } = await launch(command, args, { monitor }).catch((thrown: unknown) => {
      throw withHint(thrown, command);
    });
    const { code, signal } = await ended;
    process.exitCode = code ?? 1;
    if (signal !== null) process.once('exit', () => process.kill(process.pid, signal));
  } finally {
    await hub.close();
    recording.close();
  }
}

/** `heddle watch app.js` is what people try first. */
function withHint(thrown: unknown, command: string): unknown {
  if (!(thrown instanceof HeddleError) || !/\.[cm]?[jt]s$/.test(command)) return thrown;
  return new HeddleError(
    'ERR_OPTION_INVALID',
    `"${command}" is no program: heddle watch -- node ${command}`,
    {
      cause: thrown,
      source: 'config',
    },
  );
}
