import { messageOf } from '../../core/base/errors.ts';
import type { Signal } from '../../core/contract/signal.ts';

/** The application's own signals, which may throw or answer with anything: each tells of it once. */
export class UserSignals {
  readonly #signals: readonly Signal[];
  readonly #told = new Set<string>();

  constructor(signals: readonly Signal[]) {
    this.#signals = signals;
  }

  read(): { readonly user: Readonly<Record<string, number>>; readonly failures: readonly string[] } {
    const user: Record<string, number> = {};
    const failures: string[] = [];
    for (const signal of this.#signals) {
      const { name } = signal;
      try {
        const value: unknown = signal.read();
        if (typeof value === 'number' && Number.isFinite(value)) user[name] = value;
        else if (value !== undefined) this.#tell(name, `${String(value)} is no number`, failures);
      } catch (error) {
        this.#tell(name, messageOf(error), failures);
      }
    }
    return { user, failures };
  }

  #tell(name: string, reason: string, failures: string[]): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    failures.push(`signal "${name}" could not be read: ${reason}`);
  }
}
