import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly directory: string;
  readonly tookMs: number;
}

/** Runs a program in a process of its own: a CPU profiler in the test's process would spoil its coverage. */
export function runProgram(
  source: string,
  settings: object = {},
  nodeFlags: readonly string[] = [],
): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-monitor-'));
  const script = join(directory, 'app.mjs');
  writeFileSync(script, source);
  const { NODE_V8_COVERAGE: _coverage, ...env } = process.env;
  const captures = join(directory, 'captures');
  const flags = ['--import', join(root, 'src/monitor.ts')];
  const startMs = performance.now();
  const child = spawn(process.execPath, [...nodeFlags, ...flags, script], {
    env: {
      ...env,
      HEDDLE_PROFILES: captures,
      HEDDLE_MONITOR: JSON.stringify({ service: 'shop', warmUpMs: 0, ...settings }),
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 50_000);
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(deadline);
      resolve({ code, stdout, stderr, directory: captures, tookMs: performance.now() - startMs });
    }),
  );
}

export const filesOf = (run: Run, end: string): string[] =>
  readdirSync(run.directory)
    .filter((name) => name.endsWith(end) && !name.startsWith('latest'))
    .map((name) => join(run.directory, name));

export interface Page {
  readonly trigger: { readonly rule: string };
  readonly verdict: {
    readonly cause: { readonly name: string; readonly guilty?: { readonly name: string } };
  };
}
export const pagesOf = (run: Run): Page[] =>
  filesOf(run, '.verdict.json').map((path) => JSON.parse(readFileSync(path, 'utf8')) as Page);
