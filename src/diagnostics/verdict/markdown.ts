import type { Capture } from '../../core/contract/sink.ts';
import type { ProfileSummary, Verdict } from './verdict-types.ts';

/** A number with its unit, short: `12.3 MB`, `87 %`, `1.2 s`. */
function formatValue(value: number, unit: string): string {
  if (unit === 'bytes') return `${(value / 1048576).toFixed(1)} MB`;
  if (unit === 'nanoseconds') return formatValue(value / 1e6, 'milliseconds');
  if (unit === 'milliseconds')
    return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`;
  if (unit === 'percent') return `${value.toFixed(1)} %`;
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

const time = (ms: number): string => new Date(ms).toISOString();
const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
/** Names come from the application: a pipe or a line break must not break the table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** The verdict as one page of Markdown. */
export function verdictPage(capture: Omit<Capture, 'verdict'>, verdict: Verdict): string {
  const { cause, trigger } = verdict;
  const unit = verdict.moved.find((moved) => moved.signal === trigger.signal)?.unit ?? '';
  const lines = [
    `# ${verdict.title}`,
    '',
    `${time(trigger.atMs)} | service ${capture.service} | pid ${capture.pid} | event ${capture.eventId}`,
    '',
    '## Likely cause',
    '',
    cause.text,
    '',
    ...(cause.guilty ? [`Look at: **${cause.guilty.name}** ${cause.guilty.place}`, ''] : []),
    ...cause.evidence.map((fact) => `- ${fact}`),
    `- confidence: ${cause.confidence}`,
    '',
    `What to do: ${cause.advice}`,
    '',
    '## Why it was captured',
    '',
    `Rule \`${trigger.rule}\`: ${trigger.reason}.`,
    `\`${trigger.signal}\` was ${formatValue(trigger.current, unit)}, average before ${formatValue(trigger.average, unit)}.`,
    '',
    ...movedTable(verdict),
    ...changedTable(verdict),
    ...waitingTable(verdict),
    ...verdict.profiles.filter((profile) => !profile.kind.startsWith('pending:')).flatMap(profileSection),
    '## Files',
    '',
    ...capture.files.map((file) => `- ${file.name} (${file.kind}, ${file.sizeBytes} bytes)`),
    ...(verdict.missing.length === 0
      ? []
      : ['', '## Not captured', '', ...verdict.missing.map((why) => `- ${why}`)]),
    '',
  ];
  return lines.join('\n');
}

function movedTable({ moved }: Verdict): string[] {
  if (moved.length === 0) return [];
  const rows = moved.map(
    ({ signal, unit, from, to, sinceMs }) =>
      `| ${cell(signal)} | ${formatValue(from, unit)} | ${formatValue(to, unit)} | ${time(sinceMs)} |`,
  );
  return ['## What moved', '', '| signal | average before | now | since |', '|---|---|---|---|', ...rows, ''];
}

function changedTable({ changed }: Verdict): string[] {
  if (changed.length === 0) return [];
  const rows = changed.map(
    ({ name, place, from, to }) => `| ${cell(name)} | ${cell(place)} | ${share(from)} | ${share(to)} |`,
  );
  const head = ['| function | place | share when quiet | share now |', '|---|---|---|---|'];
  return ['## Against the last quiet window', '', ...head, ...rows, ''];
}

function waitingTable({ waiting }: Verdict): string[] {
  if (waiting.length === 0) return [];
  const rows = waiting.map(
    ({ what, count, typicalMs }) =>
      `| ${cell(what)} | ${count} | ${formatValue(typicalMs, 'milliseconds')} |`,
  );
  return ['## What waits', '', '| what | count | typical age |', '|---|---|---|', ...rows, ''];
}

function profileSection(profile: ProfileSummary): string[] {
  if (profile.total === 0) return [];
  const { kind, threadId, window, valueType, unit, total } = profile;
  const rows = profile.functions.map(
    (frame) =>
      `| ${cell(frame.name)} | ${cell(frame.place)} | ${formatValue(frame.value, unit)} | ${share(frame.share)} |`,
  );
  const stack = profile.stacks[0];
  return [
    `## ${kind}, thread ${threadId}, ${window}: ${valueType} ${formatValue(total, unit)}`,
    '',
    '| function | place | value | share |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...(profile.inlinedInto === undefined
      ? []
      : [
          `V8 has inlined ${profile.functions[0]?.name} into ${profile.inlinedInto.name}; CPU samples or the order of allocations tell them apart.`,
          '',
        ]),
    ...(stack === undefined
      ? []
      : [`Largest stack (${share(stack.share)}):`, '', '```', ...stack.frames, '```', '']),
  ];
}
