import { existsSync, lstatSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import {
  type Capture,
  convertProfile,
  defaultDirectory,
  diffFunctions,
  diffProfiles,
  encodePprof,
  HeddleError,
  listCaptures,
  type ProfileFormat,
  parseRules,
  profileFormats,
  readProfileFile,
  startViewer,
  topFunctions,
} from '../../src/diagnostics/index.ts';

import { type CaptureFlags, captureNow } from '../monitor/capture-now.ts';
import { parseDuration, parsePid, parseWhole, readRulesFile } from '../monitor/options.ts';
import { captureLine, formatTable, formatTop, formatValue, note, percent } from '../monitor/text.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const kinds = [
  'cpu',
  'heap',
  'async',
  'coroutines',
  'stack',
  'report',
  'snapshot',
  'allocations',
  'gc',
  'buffers',
  'in-flight',
  'before',
];

/** `heddle profile <pid> <kind>` and the commands for profile files. */
export function register(program: Command): void {
  const profile = program
    .command('profile')
    // So that --output and --json behind the name of a file command are that command's.
    .enablePositionalOptions()
    .description('take a profile of a running Node.js process, or work with profile files')
    .argument('<pid>', 'process to profile', parsePid)
    .addArgument(new Argument('<kind>', 'what to take').choices(kinds))
    .addOption(
      new Option('-t, --time <duration>', 'how long to sample').argParser(parseDuration).default(5000, '5s'),
    )
    .option('-o, --output <file>', 'copy the profile there')
    .option('--thread <id>', 'one thread only; 0 is the main thread', parseWhole(0))
    .option('--deep', 'permit what stops the process for seconds (coroutines, snapshot)')
    .option('--max-heap <MiB>', 'refuse --deep above this used heap', parseWhole(1), 64)
    .option(
      '--directory <path>',
      'where the capture is written (default: HEDDLE_PROFILES of this command or of the process)',
    )
    .option('--stay', 'leave the monitor in the process')
    .option('--json', 'print JSON')
    .action((pid: number, kind: string, flags: CaptureFlags) => captureNow(pid, kind, flags));
  addFileCommands(profile);
  addViewCommand(profile);
}

function addFileCommands(profile: Command): void {
  profile
    .command('list [directory]')
    .description('captures of a directory, newest first')
    .option('--json', 'print JSON')
    .action(async (given: string | undefined, flags: JsonFlag) => {
      const directory = given ?? defaultDirectory();
      const isEmpty = given === undefined && !existsSync(directory);
      const captures = isEmpty ? [] : await listCaptures(directory);
      if (flags.json) console.log(JSON.stringify(captures));
      else if (captures.length === 0) console.log(`no captures in ${directory}`);
      else
        console.log(
          formatTable([
            ['time', 'process', 'rule', 'cause', 'page'],
            ...captures.map((capture) => [...captureLine(capture), pageOf(capture)]),
          ]),
        );
    });
  profile
    .command('show [file]')
    .description('the verdict page, or the top functions of a profile; without a file the latest verdict')
    .option('-n, --limit <count>', 'functions to show', parseWhole(1), 20)
    .addOption(new Option('--by <column>', 'order').choices(['flat', 'cumulative']).default('flat'))
    .option('--json', 'print JSON')
    .action(show);
  profile
    .command('diff <base> <file>')
    .description('what changed from one profile to another')
    .option('-n, --limit <count>', 'functions to show', parseWhole(1), 20)
    .option('-o, --output <file>', 'write the difference as pprof')
    .option('--json', 'print JSON')
    .action(diff);
  profile
    .command('convert <file>')
    .description('write a profile in another format')
    .addOption(new Option('--to <format>', 'format').choices([...profileFormats]).makeOptionMandatory())
    .option('-o, --output <file>', 'where to; standard output without it')
    .action(async (file: string, { to, output }: { to: ProfileFormat; output?: string }) => {
      const converted = convertProfile(await readProfileFile(file), to, basename(file));
      if (output === undefined) process.stdout.write(converted);
      else writeFileSync(output, converted, { mode: 0o600 });
    });
  profile
    .command('rules <file>')
    .description('check a rules file')
    .option('--json', 'print JSON')
    .action((file: string, flags: JsonFlag) => {
      const rules = parseRules(readRulesFile(file).monitor.rules);
      if (flags.json) console.log(JSON.stringify(rules));
      else if (rules.mode === 'holmes') console.log("holmes' rules");
      else
        for (const { name, enabled, type, capture } of rules.rules)
          console.log(enabled ? `${name}: ${type}, takes ${capture.join(', ')}` : `${name}: off`);
      if (!flags.json) note(`${file}: no problems`);
    });
}

async function show(
  given: string | undefined,
  flags: JsonFlag & { limit: number; by: 'flat' | 'cumulative' },
): Promise<void> {
  const file = given ?? latestPage();
  if (isPage(file)) {
    console.log(readFileSync(flags.json ? jsonPageOf(file) : file, 'utf8').trimEnd());
    return;
  }
  const profile = await readProfileFile(file);
  if (flags.json)
    console.log(
      JSON.stringify({ kind: profile.kind, comments: profile.comments, top: topFunctions(profile, flags) }),
    );
  else console.log(formatTop(profile, flags));
}

function isPage(file: string): boolean {
  try {
    lstatSync(file);
  } catch (cause) {
    throw new HeddleError('ERR_PROFILE_INVALID', `there is no file ${file}`, { cause });
  }
  return /\.(md|txt|verdict\.json)$/.test(file) || basename(file) === 'latest';
}

/** @throws HeddleError ERR_PROFILE_INVALID when nothing was captured yet. */
function latestPage(): string {
  const directory = defaultDirectory();
  const file = join(directory, 'latest');
  if (existsSync(file)) return file;
  throw new HeddleError('ERR_PROFILE_INVALID', `there is no capture in ${directory} yet`);
}

/** The same page as data, which stands beside it. */
function jsonPageOf(file: string): string {
  const page = realpathSync(file).replace(/\.md$/, '.json');
  if (page.endsWith('.verdict.json') && existsSync(page)) return page;
  throw new HeddleError('ERR_PROFILE_INVALID', `there is no JSON page beside ${file}`);
}

const pageOf = ({ files }: Capture): string => files.find(({ format }) => format === 'markdown')?.name ?? '';

async function diff(
  baseFile: string,
  file: string,
  flags: JsonFlag & { limit: number; output?: string },
): Promise<void> {
  const [base, profile] = [await readProfileFile(baseFile), await readProfileFile(file)];
  const difference = diffProfiles(base, profile);
  if (flags.output !== undefined) writeFileSync(flags.output, encodePprof(difference), { mode: 0o600 });
  const changes = diffFunctions(base, profile, flags.limit);
  if (flags.json) {
    console.log(JSON.stringify(changes));
    return;
  }
  const unit = profile.sampleTypes[profile.defaultSampleType]?.unit ?? 'count';
  const rows = changes.map(({ name, file, line, beforeRatio, afterRatio, delta }) => [
    percent(beforeRatio),
    percent(afterRatio),
    `${delta > 0 ? '+' : ''}${formatValue(delta, unit)}`,
    file === '' ? name : `${name} (${file}:${line})`,
  ]);
  console.log(formatTable([['before', 'after', 'change', 'function'], ...rows]));
}

function addViewCommand(profile: Command): void {
  profile
    .command('view [path]')
    .description('open captures and profiles in a local page; nothing leaves this machine')
    .option('--port <number>', 'port on 127.0.0.1; 0 picks a free one', parseWhole(0, 65_535), 0)
    .action(async (path: string = defaultDirectory(), { port }: { port: number }) => {
      const viewer = await startViewer(path, { port });
      note('press Ctrl-C to end');
      console.log(viewer.url);
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      });
      await viewer.close();
    });
}
