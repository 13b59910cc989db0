import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';

const packages = new URL('../node_modules/', import.meta.url);
const startDeadlineMs = 20_000;
const callDeadlineMs = 10_000;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A program of other people's RPC in a process of its own. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  /** What it said when it was ready. */
  readonly started: Readonly<Record<string, unknown>>;

  private constructor(child: ChildProcess, started: Readonly<Record<string, unknown>>) {
    this.#child = child;
    this.started = started;
    child.on('message', (message) => {
      const answer = message as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.on('exit', (code) => {
      for (const answer of this.#waiting.values()) answer({ id: 0, error: `the process ended with ${code}` });
    });
  }

  /** @param needs the package without which it cannot run */
  static async start(program: string, needs: string, args: readonly string[]): Promise<PeerProcess> {
    if (!existsSync(new URL(needs, packages)))
      throw new Error(`${needs} is not installed: run "npm ci" in test/interop`);
    const child = fork(new URL(program, import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let output = '';
    child.stderr?.on('data', (chunk) => {
      output += String(chunk);
    });
    const started = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${program} does not start: ${output}`)),
        startDeadlineMs,
      );
      child.once('message', (message) => {
        clearTimeout(timer);
        resolve(message as Record<string, unknown>);
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`${program} ended with ${code}: ${output}`));
      });
    });
    if (typeof started['problem'] === 'string') throw new Error(started['problem']);
    return new PeerProcess(child, started);
  }

  /** @param args with the Java type of each @throws what the remote side threw, as an Error with its message */
  async call(
    method: string,
    ...args: readonly (readonly [type: string, value: unknown])[]
  ): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), callDeadlineMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
    this.#child.send({ id, method, types: args.map(([type]) => type), args: args.map(([, value]) => value) });
    const answer = await answered;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
  }
}
