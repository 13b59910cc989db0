import { hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../../core/base/clock.ts';
import type { Secret } from '../../core/base/secret.ts';

/** What Node.js takes as `ticketKeys`: 16 bytes of name, 16 of HMAC and 16 of AES. */
const keyBytes = 48;
const nameBytes = 16;

/**
 * Keys of session tickets. Each is derived from a secret and the number of the period that it is for, so that processes
 * with the same secret change keys at the same time without a word to each other. Taken are the keys of this period,
 * the one before, and the next one, as clocks differ; and those of the secret before this one.
 *
 *   key(period) = HKDF-SHA256(secret, info = "heddle session tickets <period>")
 */
export class TicketKeys {
  readonly #clock: Clock;
  readonly #rotationMs: number;
  readonly #isShared: boolean;
  #secrets: readonly Buffer[];
  #period = Number.NaN;
  /** The one to make tickets with. */
  #current: Buffer = Buffer.alloc(0);
  #byName = new Map<string, Buffer>();
  readonly #firstPeriod: number;

  /** @param secret null: a random one of this process */
  constructor(secret: Secret | null, rotationMs: number, clock: Clock) {
    this.#clock = clock;
    this.#rotationMs = rotationMs;
    this.#isShared = secret !== null;
    this.#secrets = [secret === null ? randomBytes(32) : Buffer.from(secret.reveal())];
    this.#firstPeriod = this.#periodNow();
    this.#derive(this.#firstPeriod);
  }

  /** Takes another secret; tickets of the one before are taken on. */
  use(secret: Secret | null): void {
    if (secret === null) return;
    const next = Buffer.from(secret.reveal());
    const [before] = this.#secrets;
    if (before === undefined || before.equals(next)) return;
    this.#secrets = [next, before];
    this.#derive(this.#periodNow());
  }

  get current(): Buffer {
    this.#rotate();
    return this.#current;
  }

  /** Whether tickets of other keys than the current one may be about: only then is a hello worth reading. */
  get hasOthers(): boolean {
    return this.#isShared || this.#periodNow() !== this.#firstPeriod;
  }

  /** The key of that name; the current one for a name that is not known. @param name 16 bytes, or none */
  named(name: Buffer | null): Buffer {
    this.#rotate();
    return (name === null ? undefined : this.#byName.get(name.toString('latin1'))) ?? this.#current;
  }

  #periodNow(): number {
    return Math.floor(this.#clock.wallNow() / this.#rotationMs);
  }

  #rotate(): void {
    const period = this.#periodNow();
    if (period !== this.#period) this.#derive(period);
  }

  #derive(period: number): void {
    this.#period = period;
    this.#byName = new Map();
    for (const secret of this.#secrets) {
      for (const each of [period + 1, period, period - 1]) {
        const key = derivedKey(secret, each);
        this.#byName.set(key.toString('latin1', 0, nameBytes), key);
      }
    }
    this.#current = derivedKey(this.#secrets[0] as Buffer, period);
  }
}

function derivedKey(secret: Buffer, period: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `heddle session tickets ${period}`, keyBytes));
}
