import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The newest published version. Set HEDDLE_HOLMES to a checkout to compare with a later state. */
const version = 'v1.1.0';
const driver = fileURLToPath(new URL('./driver.go.txt', import.meta.url));

export interface Driver {
  readonly program: string;
  /** Whether a thread dump rests the goroutine check: later than v1.1.0. */
  readonly restsGoroutines: boolean;
}

/** Copies holmes into the directory, puts the driver beside its files and the simulated clock under them, and builds it. */
export function buildDriver(directory: string): Driver {
  const source = join(directory, 'holmes');
  cpSync(findSource(directory), source, { recursive: true, filter: (path) => !path.includes('/.git') });
  execFileSync('chmod', ['-R', 'u+w', source]);
  for (const name of readdirSync(source)) if (name.endsWith('_test.go')) rmSync(join(source, name));
  const path = join(source, 'holmes.go');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, simulated(text));
  writeFileSync(join(source, 'heddle_driver.go'), readFileSync(driver));
  // Its util.go counts threads with pprof: the quiet one of the driver takes that place.
  const util = join(source, 'util.go');
  writeFileSync(util, withoutPprof(readFileSync(util, 'utf8')));
  mkdirSync(join(source, 'heddle-driver'));
  const main = 'package main\n\nimport "mosn.io/holmes"\n\nfunc main() { holmes.DriverMain() }\n';
  writeFileSync(join(source, 'heddle-driver', 'main.go'), main);
  const program = join(directory, 'driver');
  execFileSync('go', ['build', '-mod=mod', '-o', program, './heddle-driver'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { program, restsGoroutines: text.includes('goroutineCoolDownByThread') };
}

function findSource(directory: string): string {
  const given = process.env['HEDDLE_HOLMES'];
  if (given !== undefined) return given;
  const told = execFileSync('go', ['mod', 'download', '-json', `mosn.io/holmes@${version}`], {
    cwd: directory,
    encoding: 'utf8',
  });
  return (JSON.parse(told) as { Dir: string }).Dir;
}

const withoutPprof = (text: string): string => text.replace(/^\t"runtime\/pprof"\n/m, '');

function simulated(text: string): string {
  return withoutPprof(text)
    .replaceAll('time.Now()', 'driverNow()')
    .replaceAll('time.Sleep(', 'driverSleep(')
    .replaceAll('runtime.ReadMemStats(', 'driverMemStats(');
}
