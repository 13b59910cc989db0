import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NotInstalled, type Scope } from './check.ts';
import { execute } from './execute.ts';

const sources = fileURLToPath(new URL('../java/', import.meta.url));
const cache = join(homedir(), '.cache', 'heddle-interop', 'java');
const buildLimitMs = 600_000;
const answerLimitMs = 90_000;

/** What hessian needs on Java 17: it reads fields of the platform's classes. */
const opened = ['lang', 'lang.reflect', 'util', 'math', 'text', 'time', 'io', 'net'].flatMap((name) => [
  '--add-opens',
  `java.base/java.${name}=ALL-UNNAMED`,
]);

/** SOFARPC sends baggage only when asked to; Dubbo 3 must not refuse classes it has not seen in an interface. */
const settings = ['-Dinvoke.baggage.enable=true', '-Ddubbo.application.serialize-check-status=WARN'];

/** A JVM that answers lines; see java/common/heddle/interop/Lines.java. */
export class Jvm {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, (answer: { isError: boolean; text: string }) => void>();
  readonly #started: Promise<unknown>;
  #serial = 0;
  #errors = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    const ready = Promise.withResolvers<unknown>();
    this.#waiting.set('0', ready.resolve);
    this.#started = Promise.race([
      ready.promise,
      once(child, 'exit').then(() => {
        throw new Error(`the JVM ended: ${this.#errors.slice(-2000)}`);
      }),
    ]);
    this.#started.catch(() => {});
    child.stderr?.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-100_000);
    });
    const { stdout } = child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#answer(line));
  }

  /** The text of the answer. Rejects with it when it is an error. */
  async ask(...words: readonly (string | number)[]): Promise<string> {
    await this.#started;
    const id = String(++this.#serial);
    const { promise, resolve } = Promise.withResolvers<{ isError: boolean; text: string }>();
    this.#waiting.set(id, resolve);
    this.#child.stdin?.write(`${[id, ...words].join('\t')}\n`);
    const timer = setTimeout(
      () => resolve({ isError: true, text: `no answer to ${words.join(' ')}: ${this.#errors.slice(-3000)}` }),
      answerLimitMs,
    );
    const answer = await promise;
    clearTimeout(timer);
    if (answer.isError) throw new Error(answer.text);
    return answer.text;
  }

  /** Ends the program as an orderly stop would: its shutdown hooks run. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #answer(line: string): void {
    const [id = '', state = '', ...text] = line.split('\t');
    this.#waiting.get(id)?.({ isError: state !== 'ok', text: text.join('\t') });
    this.#waiting.delete(id);
  }
}

/** A folder of java/, with the jars of another version where its name says so (pom-2.7.xml). */
export type JavaProject =
  | 'sofarpc'
  | 'dubbo'
  | 'dubbo-2.7'
  | 'triple'
  | 'registry'
  | 'registry-2.7'
  | 'registry-nacos'
  | 'sofaregistry'
  | 'sofaregistry-nacos';

/**
 * Starts a program; jars and classes are made once and kept in the cache.
 * @param more system properties, "-Dname=value" @throws NotInstalled
 */
export async function startJvm(
  scope: Scope,
  project: JavaProject,
  main: string,
  more: readonly string[] = [],
): Promise<Jvm> {
  const place = await builtProject(project);
  const path = [join(place, 'classes'), join(place, 'lib', '*')].join(':');
  const args = ['-Xmx512m', ...settings, ...more, ...opened, '-cp', path, `heddle.interop.${main}`];
  const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: place });
  const jvm = new Jvm(child);
  scope.teardown(() => jvm.kill());
  return jvm;
}

/** The folder with its classes/ and lib/. @throws NotInstalled */
export async function builtProject(project: JavaProject): Promise<string> {
  requireJava();
  return await built(project);
}

function requireJava(): void {
  for (const [program, flag] of [
    ['java', '-version'],
    ['javac', '-version'],
    ['mvn', '--version'],
  ] as const) {
    if (spawnSync(program, [flag], { stdio: 'ignore' }).status !== 0) {
      throw new NotInstalled('Java/Maven', 'apt-get install default-jdk-headless maven');
    }
  }
}

async function built(project: JavaProject): Promise<string> {
  const [folder = '', version] = project.split('-');
  const pom = join(sources, folder, version === undefined ? 'pom.xml' : `pom-${version}.xml`);
  const files = [...globSync(`${sources}common/**/*.java`), ...globSync(`${sources}${folder}/**/*.java`)];
  const hash = createHash('sha256');
  for (const file of [pom, ...files.sort()]) hash.update(readFileSync(file));
  const place = join(cache, `${project}-${hash.digest('hex').slice(0, 16)}`);
  const exists = await access(join(place, 'classes')).then(
    () => true,
    () => false,
  );
  if (exists) return place;
  const making = `${place}.${process.pid}`;
  await mkdir(join(making, 'classes'), { recursive: true });
  try {
    await mustRun('mvn', [
      '--batch-mode',
      '--quiet',
      '--file',
      pom,
      'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies',
      `-DoutputDirectory=${join(making, 'lib')}`,
    ]);
    await mustRun('javac', [
      '-nowarn',
      '-d',
      join(making, 'classes'),
      '-cp',
      join(making, 'lib', '*'),
      ...files,
    ]);
    await rename(making, place);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return place;
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const done = await execute(program, args, { limitMs: buildLimitMs });
  if (done.code !== 0) throw new Error(`${program} failed: ${done.stdout} ${done.stderr}`);
}
