import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodePprof } from '../../src/diagnostics/pprof/index.ts';
import type { Children } from '../harness/children.ts';

export interface ProgramRun {
  readonly children: Children;
  /** Holds `app.mjs`; captures go to `captures` below it. */
  readonly directory: string;
  readonly nodeFlags: readonly string[];
  readonly tlsDirectory: string | undefined;
  /** How long after the fault (or the start, where there is none) to wait. */
  readonly untilMs: number;
  readonly isEnough: (outcome: Outcome) => boolean;
}

/** One capture as the outside sees it. */
export interface Outcome {
  readonly rule: string;
  /** Since the fault; below 0 means before it. */
  readonly triggeredMs: number;
  readonly writtenMs: number;
  readonly topFrame: string;
  readonly cause: string;
  /** Every pprof file of it can be read and holds samples. */
  readonly isValid: boolean;
}

interface Page {
  readonly trigger: { readonly rule: string; readonly atMs: number };
  readonly files: readonly { readonly path: string; readonly format: string }[];
  readonly verdict: {
    readonly cause: { readonly name: string; readonly guilty?: { readonly name: string } };
  };
}

const monitor = fileURLToPath(new URL('../../src/monitor.ts', import.meta.url));
/** A program's fault begins at most so long after its start. */
const latestFaultMs = 20_000;

/** Runs a program under the monitor's default rules and collects what it captured. */
export async function runProgram(run: ProgramRun): Promise<Outcome[]> {
  const captures = join(run.directory, 'captures');
  mkdirSync(captures, { recursive: true });
  const args = [...run.nodeFlags, '--import', monitor, join(run.directory, 'app.mjs')];
  const env = {
    HEDDLE_PROFILES: captures,
    ...(run.tlsDirectory !== undefined && { HEDDLE_BENCH_TLS: run.tlsDirectory }),
    // A run whose files are kept can be replayed: `heddle watch --replay`.
    ...(process.env['HEDDLE_BENCH_KEEP'] !== undefined && { HEDDLE_MONITOR: '{"record":true}' }),
  };
  const log = join(run.directory, 'app.log');
  const child = run.children.start({ command: process.execPath, args, env, core: null, pipe: true, log });
  let faultMs: number | undefined;
  let hasEnded = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    const told = /FAULT (\d+)/.exec(chunk.toString('utf8'))?.[1];
    if (told !== undefined) faultMs = Number(told);
  });
  child.once('exit', () => {
    hasEnded = true;
  });
  const startMs = Date.now();
  const outcomes = new Map<string, Outcome>();
  try {
    while (!isOver(run, startMs, faultMs)) {
      await sleep(50);
      for (const name of readdirSync(captures)) {
        if (!name.endsWith('.verdict.json') || outcomes.has(name)) continue;
        const path = join(captures, name);
        outcomes.set(name, readOutcome(path, faultMs ?? startMs));
      }
      if ([...outcomes.values()].some(run.isEnough)) break;
      if (hasEnded) break;
    }
  } finally {
    await run.children.stop(child);
  }
  return [...outcomes.values()];
}

function isOver(run: ProgramRun, startMs: number, faultMs: number | undefined): boolean {
  if (faultMs !== undefined) return Date.now() - faultMs > run.untilMs;
  return Date.now() - startMs > Math.max(latestFaultMs, run.untilMs);
}

function readOutcome(path: string, faultMs: number): Outcome {
  const page = JSON.parse(readFileSync(path, 'utf8')) as Page;
  const { cause } = page.verdict;
  return {
    rule: page.trigger.rule,
    triggeredMs: Math.round(page.trigger.atMs - faultMs),
    writtenMs: Math.round(statSync(path).mtimeMs - faultMs),
    topFrame: cause.guilty?.name ?? '',
    cause: cause.name,
    isValid: page.files.filter((file) => file.format === 'pprof').every((file) => isReadable(file.path)),
  };
}

function isReadable(path: string): boolean {
  try {
    return decodePprof(new Uint8Array(readFileSync(path))).sampleTypes.length > 0;
  } catch {
    return false;
  }
}
