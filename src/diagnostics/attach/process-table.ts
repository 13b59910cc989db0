import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** What /proc tells of one process without touching it. */
export interface ProcessFacts {
  readonly pid: number;
  /** Clock ticks after boot at which it began: tells a reused pid from the process that had it before. */
  readonly startTicks: number;
  readonly uid: number;
  /** R, S, D (waits for a device), T (stopped), t (traced), Z (ended, not yet collected). */
  readonly state: string;
  /** Path of the executable; '' where it may not be read (another user's process). */
  readonly executable: string;
  readonly isNode: boolean;
  /** By its command line alone, where the executable may not be read: enough to name it, not to send it a signal. */
  readonly looksLikeNode: boolean;
  readonly commandLine: readonly string[];
  /** The script's file name, or the process title. */
  readonly name: string;
  readonly cpuTicks: number;
  readonly rssBytes: number;
  readonly threads: number;
  /** SIGUSR1 has a handler: of Node's inspector, or of the application's own. */
  readonly catchesSigusr1: boolean;
  readonly tracerPid: number;
  /** In the same network and mount namespace as this process; false means another container. */
  readonly isSameContainer: boolean;
  /** Began with `--inspect` or the like. */
  readonly hasInspectFlag: boolean;
  /** Where its inspector would listen; 0 for a free port. */
  readonly inspectPort: number;
  readonly labels: Readonly<Record<string, string>>;
}

const pageBytes = 4096;
const sigusr1 = 10;
const defaultInspectPort = 9229;
/** Linux reports times in ticks of 10 ms on every platform that Node runs on. */
const tickMs = 10;

/** @returns undefined when there is no such process. */
export function readProcess(pid: number, root = '/proc'): ProcessFacts | undefined {
  const at = (name: string): string => `${root}/${pid}/${name}`;
  const stat = readText(at('stat'));
  const status = readText(at('status'));
  if (stat === '' || status === '') return undefined;
  // The second field is the name in brackets and may itself hold brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const executable = readLink(at('exe')).replace(/ \(deleted\)$/, '');
  const commandLine = readText(at('cmdline'))
    .split('\0')
    .filter((part) => part !== '');
  const environment = readEnvironment(at('environ'));
  const flags = [...commandLine.slice(1), ...(environment.get('NODE_OPTIONS') ?? '').split(' ')];
  return {
    pid,
    state: fields[0] ?? '?',
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
    rssBytes: Number(fields[21]) * pageBytes,
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1),
    executable,
    isNode: isNodeExecutable(executable),
    looksLikeNode: executable === '' && isNodeName(commandLine[0] ?? ''),
    commandLine,
    name: nameOf(commandLine, executable),
    catchesSigusr1: hasSignal(/^SigCgt:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0'),
    tracerPid: Number(/^TracerPid:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    isSameContainer: ['net', 'mnt'].every((kind) => {
      const theirs = readLink(at(`ns/${kind}`));
      return theirs === '' || theirs === readLink(`${root}/self/ns/${kind}`);
    }),
    hasInspectFlag: flags.some((flag) => /^--inspect(-brk|-wait)?(=|$)/.test(flag)),
    inspectPort: inspectPortOf(flags),
    labels: parseLabels(environment.get('HEDDLE_LABELS') ?? ''),
  };
}

/** Every Node.js process of this machine that can be seen, this one left out; other users' among them. */
export function listNodeProcesses(root = '/proc'): ProcessFacts[] {
  const pids = readdirSync(root).filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .map((pid) => readProcess(pid, root))
    .filter((facts) => facts !== undefined && (facts.isNode || facts.looksLikeNode))
    .filter((facts) => facts?.state !== 'Z') as ProcessFacts[];
}

/** By the name of the file, or because it is the very file that runs us. A process title says nothing. */
function isNodeExecutable(executable: string): boolean {
  if (executable === '') return false;
  if (isNodeName(executable)) return true;
  try {
    const [theirs, ours] = [statSync(executable), statSync(realpathSync(process.execPath))];
    return theirs.ino === ours.ino && theirs.dev === ours.dev;
  } catch {
    return false;
  }
}

const isNodeName = (path: string): boolean => /^node(js)?([-.]?v?\d[\d.]*)?$/.test(basename(path));

function nameOf(commandLine: readonly string[], executable: string): string {
  if (commandLine.some((part) => /^(-e|-p|-pe|--eval|--print)$/.test(part))) return '[eval]';
  const takesValue = /^(-r|-C|--require|--import|--loader|--conditions|--env-file)$/;
  const script = commandLine.find(
    (part, index) => index > 0 && !part.startsWith('-') && !takesValue.test(commandLine[index - 1] ?? ''),
  );
  const named = script ?? commandLine[0] ?? executable;
  return basename(named).replace(/\.[cm]?[jt]s$/, '');
}

/** `--inspect-port=[host:]port`; the last one counts. */
function inspectPortOf(flags: readonly string[]): number {
  const ports = flags.map((flag) => /^--(?:inspect|debug)-port=(?:.*:)?(\d+)$/.exec(flag)?.[1]);
  return Number(ports.findLast((port) => port !== undefined) ?? defaultInspectPort);
}

/** How long a process has run. */
export function ageMsOf({ startTicks }: ProcessFacts, root = '/proc'): number {
  const uptimeSeconds = Number(readText(`${root}/uptime`).split(' ')[0]);
  return Math.max(0, uptimeSeconds * 1000 - startTicks * tickMs);
}

function hasSignal(mask: string): boolean {
  return ((BigInt(`0x${mask}`) >> BigInt(sigusr1 - 1)) & 1n) === 1n;
}

function readEnvironment(path: string): Map<string, string> {
  const pairs = readText(path).split('\0');
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** `team=shop,tier=web` */
function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
