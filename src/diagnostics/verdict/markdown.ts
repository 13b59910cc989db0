import type { Capture } from '../../core/contract/sink.ts';
import { formatChange, formatSignal, formatValue, meaningOf } from '../signals/format.ts';
import { inWords } from './evidence.ts';
import { tableOf } from './page-table.ts';
import type { ProfileSummary, Verdict } from './verdict-types.ts';

const isoTime = (ms: number): string => new Date(ms).toISOString();
/** `2026-01-02 03:04:05.678 UTC` */
const dayTime = (ms: number): string => isoTime(ms).replace('T', ' ').replace('Z', ' UTC');
const clock = (ms: number): string => isoTime(ms).slice(11, 23);
const share = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** Names come from the application: a line break in one must not begin a heading. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** Rows of a profile on the page; the JSON page and the profile hold more. */
const shownFunctions = 6;

/** The verdict as one page of Markdown, the answer first. */
export function verdictPage(capture: Omit<Capture, 'verdict'>, verdict: Verdict): string {
  const { cause, trigger } = verdict;
  const lines = [
    `# ${oneLine(verdict.title)}`,
    '',
    `${dayTime(trigger.atMs)} | service ${capture.service} | pid ${capture.pid} | event ${capture.eventId}`,
    '',
    cause.name === 'requested'
      ? '## What it shows'
      : `## Likely cause: ${cause.name}${cause.confidence === 'none' ? '' : `, confidence ${cause.confidence}`}`,
    '',
    oneLine(cause.text),
    '',
    ...(cause.guilty
      ? [oneLine(`Look at: **${cause.guilty.name}** ${cause.guilty.place}`).trimEnd(), '']
      : []),
    `What to do: ${cause.advice}`,
    '',
    ...(cause.evidence.length === 0
      ? []
      : ['Evidence:', '', ...cause.evidence.map((fact) => `- ${oneLine(fact)}`), '']),
    ...whyCaptured(verdict),
    ...movedTable(verdict),
    ...changedTable(verdict),
    ...waitingTable(verdict),
    ...shownProfiles(verdict).flatMap(profileSection),
    ...fileList(capture),
    ...(verdict.missing.length === 0
      ? []
      : ['', '## Not captured', '', ...verdict.missing.map((why) => `- ${why}`)]),
    '',
  ];
  return lines.join('\n');
}

/** A capture that somebody asked for has no signal. */
function whyCaptured({ trigger }: Verdict): string[] {
  const { rule, reason, signal, current, average } = trigger;
  if (signal === '') return ['## Why it was captured', '', `On request: ${reason}.`, ''];
  const meaning = meaningOf(signal);
  return [
    '## Why it was captured',
    '',
    `Rule \`${rule}\`: ${reason}.`,
    `\`${signal}\`${meaning === '' ? '' : ` (${meaning})`} was ${formatSignal(signal, current)}, before that ${formatSignal(signal, average)}.`,
    '',
  ];
}

function movedTable({ moved, trigger }: Verdict): string[] {
  if (moved.length === 0) return [];
  const overMs = Math.max(...moved.map(({ overMs }) => overMs));
  const rows = moved.map(({ signal, unit, from, to, sinceMs }) => [
    signal,
    formatValue(from, unit),
    formatValue(to, unit),
    formatChange(from, to, unit),
    clock(sinceMs),
  ]);
  return [
    '## What moved',
    '',
    `Average of ${overMs < 1000 ? 'the only sample' : `the ${Math.round(overMs / 1000)} s`} before, and at the trigger (${clock(trigger.atMs)}). Times are UTC.`,
    '',
    ...tableOf(
      ['signal', 'average', 'now', 'change', 'since'],
      ['left', 'right', 'right', 'right', 'left'],
      rows,
    ),
    '',
  ];
}

function changedTable({ changed }: Verdict): string[] {
  if (changed.length === 0) return [];
  const rows = changed.map(({ name, place, from, to }) => [share(from), share(to), name, place]);
  return [
    '## CPU time against the last quiet window',
    '',
    ...tableOf(['quiet', 'now', 'function', 'place'], ['right', 'right', 'left', 'left'], rows),
    '',
  ];
}

function waitingTable({ waiting }: Verdict): string[] {
  if (waiting.length === 0) return [];
  const rows = waiting.map(({ what, count, typicalMs }) => [
    String(count),
    formatValue(typicalMs, 'milliseconds'),
    inWords(what),
  ]);
  return [
    '## What waits',
    '',
    ...tableOf(['count', 'typical age', 'what'], ['right', 'right', 'left'], rows),
    '',
  ];
}

/** What a table of its own tells, and the quiet time that is there to compare with, would only be noise. */
const isShown = ({ kind, window, total }: ProfileSummary): boolean =>
  total > 0 &&
  window !== 'quiet' &&
  !kind.startsWith('pending:') &&
  kind !== 'in-flight' &&
  kind !== 'streams';

/** Worker threads that have a section of their own; the profile of all threads has the others in it. */
const shownWorkers = 3;

/** The main thread first, then all threads together, then the busiest workers. */
function shownProfiles({ profiles }: Verdict): ProfileSummary[] {
  const shown = profiles.filter(isShown);
  const isWorker = ({ threadId }: ProfileSummary): boolean => threadId > 0;
  const workers = shown.filter(isWorker).sort((a, b) => b.total - a.total);
  const isTogether = ({ threadId }: ProfileSummary): boolean => threadId < 0;
  const rest = shown.filter((one) => !isWorker(one) && !isTogether(one));
  return [...rest, ...shown.filter(isTogether), ...workers.slice(0, shownWorkers)];
}

const titles: Readonly<Record<string, string>> = {
  cpu: 'CPU time',
  heap: 'Memory in use, by who allocated it',
  growth: 'Memory allocated since growth was suspected, and kept',
  allocations: 'Memory allocated, freed again or not',
  pending: 'Async work that has not ended, by who began it',
  stall: 'Stacks that ran at that moment',
  coroutines: 'Suspended async functions',
  backlog_bytes: 'Bytes written past the high-water mark, by who wrote them',
  buffer_bytes: 'New buffers that stay alive, by who made them',
};
const windows: Readonly<Record<string, string>> = {
  'cpu before': ', up to the capture',
  'cpu during': ', while it was captured',
};

function profileSection(profile: ProfileSummary): string[] {
  const { kind, threadName, window, valueType, unit, total } = profile;
  const title = titles[kind === 'buffers' ? valueType : kind] ?? kind;
  const thread = threadName === 'main' ? '' : `, ${threadName}`;
  const rows = profile.functions
    .slice(0, shownFunctions)
    .map((frame) => [share(frame.share), formatValue(frame.value, unit), frame.name, frame.place]);
  if (kind === 'coroutines') return chainSection(profile);
  const stack = profile.stacks[0];
  return [
    `## ${title}${thread}${windows[`${kind} ${window}`] ?? ''}: ${formatValue(Math.round(total), unit)}`,
    '',
    ...tableOf(['share', 'value', 'function', 'place'], ['right', 'right', 'left', 'left'], rows),
    '',
    ...(profile.inlinedInto === undefined
      ? []
      : [
          `V8 has inlined ${profile.functions[0]?.name} into ${profile.inlinedInto.name}; CPU samples or the order of allocations tell them apart.`,
          '',
        ]),
    ...(stack === undefined
      ? []
      : [
          `Largest stack (${share(stack.share)}), innermost first:`,
          '',
          '```',
          ...stack.frames.map(oneLine),
          '```',
          '',
        ]),
  ];
}

/** Who awaits whom is what this profile is for: every chain, not only the largest. */
function chainSection({ stacks, total }: ProfileSummary): string[] {
  const rows = stacks.map(({ frames, value }) => [String(Math.round(value)), frames.join(' < ')]);
  return [
    `## ${titles['coroutines']}: ${Math.round(total)} await chains`,
    '',
    ...tableOf(['count', 'who waits < who awaits that'], ['right', 'left'], rows),
    '',
  ];
}

function fileList({ files }: Omit<Capture, 'verdict'>): string[] {
  const rows = files.map(({ name, kind, window, sizeBytes }) => [
    window === 'none' ? kind : `${kind} ${window}`,
    formatValue(sizeBytes, 'bytes'),
    name,
  ]);
  const hint =
    'Open them with `heddle profile view DIRECTORY`, `heddle profile show FILE` or `go tool pprof FILE`.';
  if (files.length === 0) return ['## Files', '', 'None.'];
  return ['## Files', '', hint, '', ...tableOf(['what', 'size', 'file'], ['left', 'right', 'left'], rows)];
}
