import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { defaultRules } from '../../src/diagnostics/rules/defaults.ts';
import { replayRules } from '../../src/diagnostics/rules/replay.ts';
import { type RecordedSample, SignalLog } from '../../src/diagnostics/signals/signal-log.ts';

const sampleAt = (atMs: number): RecordedSample => ({ atMs, values: { cpuPercent: 1 / 3, rssBytes: 1e8 } });

test('a recording is private JSON lines; full files are rotated and the oldest goes', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-log-'));
  const path = join(directory, 'signals.jsonl');
  const log = new SignalLog({ path, maxBytes: 4096, files: 3 });
  for (let second = 0; second < 500; second++) log.write(sampleAt(second * 1000));
  log.close();
  t.deepEqual(readdirSync(directory).toSorted(), ['signals.jsonl', 'signals.jsonl.1', 'signals.jsonl.2']);
  for (const name of readdirSync(directory)) {
    const { size, mode } = statSync(join(directory, name));
    t.true(size <= 4096, `${name} has ${size} bytes`);
    t.is(mode & 0o777, 0o600);
  }
  const last = readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
  t.deepEqual(JSON.parse(last), { atMs: 499_000, values: { cpuPercent: 0.333, rssBytes: 1e8 } });
  await rm(directory, { recursive: true });
});

test('a recording that cannot be written is told once and nothing is thrown', (t) => {
  const problems: string[] = [];
  const log = new SignalLog({
    path: '/proc/nowhere/signals.jsonl',
    onProblem: (text) => problems.push(text),
  });
  log.write(sampleAt(0));
  log.write(sampleAt(1000));
  log.close();
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /no longer recorded: ENOENT/);
});

test('a stall between two ticks is found again when the recording is replayed', (t) => {
  const samples: RecordedSample[] = [];
  for (let second = 0; second < 20; second++) samples.push({ atMs: second * 1000, values: { stallMs: 0 } });
  samples.push({ atMs: 19_600, urgent: true, values: { stallMs: 540 } });
  samples.push({ atMs: 20_000, values: { stallMs: 0 } });
  const fired = replayRules({ mode: 'default', rules: defaultRules }, samples);
  t.deepEqual(
    fired.map(({ rule, trigger }) => [rule, trigger.atMs]),
    [['stall', 19_600]],
  );
});
