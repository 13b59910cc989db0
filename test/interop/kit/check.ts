/** One check against a program of other people. `run` throws when it fails; what it returns is shown beside "passed". */
export interface Check {
  /** One line: what is checked. */
  readonly what: string;
  run(scope: Scope): Promise<string>;
}

/** Thrown where a program is missing: the check is skipped, never passed. */
export class NotInstalled extends Error {
  /** @param hint how to get it, e.g. "apt-get install nginx" */
  constructor(program: string, hint: string) {
    super(`${program} is not installed (${hint})`);
  }
}

/** What a check opened, closed in reverse order when it is over. */
export class Scope implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];

  teardown(run: () => unknown): void {
    this.#closers.push(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }
}
