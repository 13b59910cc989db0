import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type CaptureFile,
  controlSocketPath,
  decodePprof,
  diffProfiles,
  encodePprof,
  preloadEnvironment,
  RemoteControl,
  readProfileFile,
  toCpuProfile,
} from '../../../src/diagnostics/index.ts';

const execute = promisify(execFile);
const application = fileURLToPath(new URL('../viewer/application.ts', import.meta.url));

/** Every kind of profile is taken from a real process and read by `go tool pprof -raw` and `-top`. */
export async function run(): Promise<void> {
  await execute('go', ['version']).catch(() => {
    throw new Error('no Go: install it, or put it on PATH');
  });
  const directory = await mkdtemp(join(tmpdir(), 'heddle-pprof-'));
  try {
    const files = await takeEveryKind(directory);
    const expected: Record<string, RegExp> = {
      cpu: /renderInvoice/,
      heap: /flat/,
      allocations: /renderInvoice/,
      coroutines: /\[waiters\][\s\S]*reserveStock|reserveStock[\s\S]*\[waiters\]/,
      pending: /flat/,
      stall: /flat/,
    };
    const seen = new Set<string>();
    for (const { path, kind, format } of files) {
      if (format !== 'pprof') continue;
      seen.add(kind);
      const top = await check(path);
      assert.match(top, expected[kind] ?? /flat/, `${kind}: ${top}`);
    }
    for (const kind of ['cpu', 'heap', 'allocations', 'coroutines', 'pending']) {
      assert.ok(seen.has(kind), `a ${kind} profile was taken; there are ${[...seen].join(', ')}`);
    }
    await checkDerived(directory, files);
    console.log(
      `pprof: go tool pprof reads ${[...seen].sort().join(', ')}, a difference and converted files`,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `-raw` fails on any broken reference; `-top` needs functions, units and values. */
async function check(path: string): Promise<string> {
  const { stdout: raw } = await execute('go', ['tool', 'pprof', '-raw', path]);
  assert.match(raw, /^PeriodType: /m);
  assert.match(raw, /^Samples:$/m);
  assert.match(raw, /^Locations$/m);
  const { stdout: top } = await execute('go', ['tool', 'pprof', '-top', '-nodecount=30', path]);
  return top;
}

async function checkDerived(directory: string, files: readonly CaptureFile[]): Promise<void> {
  const file = files.find(({ kind, format }) => kind === 'cpu' && format === 'pprof');
  assert.ok(file);
  const profile = await readProfileFile(file.path);
  assert.deepEqual(decodePprof(encodePprof(profile)).sampleTypes, profile.sampleTypes);
  const half = {
    ...profile,
    samples: profile.samples.map((sample) => ({
      ...sample,
      values: sample.values.map((value) => value / 2),
    })),
  };
  const difference = join(directory, 'difference.pb.gz');
  await writeFile(difference, encodePprof(diffProfiles(half, profile)));
  assert.match(await check(difference), /renderInvoice/);
  const converted = join(directory, 'converted.cpuprofile');
  await writeFile(converted, JSON.stringify(toCpuProfile(profile)));
  const again = join(directory, 'again.pb.gz');
  await writeFile(again, encodePprof(await readProfileFile(converted)));
  assert.match(await check(again), /renderInvoice/);
  const { stdout } = await execute('go', ['tool', 'pprof', '-top', `-diff_base=${file.path}`, file.path]);
  assert.match(stdout, /Type: cpu/);
}

async function takeEveryKind(directory: string): Promise<CaptureFile[]> {
  const child = fork(application, {
    env: preloadEnvironment(process.env, { directory, service: 'shop', control: { listen: 'auto' } }),
  });
  try {
    await once(child, 'message');
    const control = await connectSoon(child.pid ?? 0);
    await delay(1500);
    const files: CaptureFile[] = [];
    for (const kinds of [
      ['cpu', 'heap', 'allocations', 'pending', 'buffers', 'in-flight'],
      ['stack'],
      ['coroutines'],
    ]) {
      const capture = await control.capture({ kinds, durationMs: 1500, deep: true });
      files.push(...capture.files);
    }
    control.close();
    return files;
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

async function connectSoon(pid: number): Promise<RemoteControl> {
  for (let tries = 0; ; tries++) {
    const control = await RemoteControl.connect(controlSocketPath(pid)).catch(() => undefined);
    if (control !== undefined) return control;
    if (tries > 200) throw new Error('the monitor does not answer');
    await delay(50);
  }
}
