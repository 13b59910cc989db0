import type { X509Certificate } from 'node:crypto';

/** Sessions kept for resumption, one a host; the oldest goes first. */
const maxSessions = 1024;

/** What a later handshake with the same host begins from. */
export interface Session {
  readonly ticket: Buffer;
  /** Of the handshake in which it began: a resumed one shows none. */
  readonly certificate: X509Certificate;
  /** Wall-clock ms until which its staple says that the certificate is good; 0 without one. */
  readonly goodUntilMs: number;
}

/** Sessions by address. Those that began before `forget` are never kept: whom they trust may be nobody now. */
export class Sessions {
  readonly #all = new Map<string, Session>();
  #generation = 0;

  /** Compare with what `keep` is given. */
  get generation(): number {
    return this.#generation;
  }

  get(address: string): Session | null {
    return this.#all.get(address) ?? null;
  }

  /** @param generation at the beginning of the handshake */
  keep(address: string, session: Session, generation: number): void {
    if (generation !== this.#generation) return;
    this.#all.delete(address);
    if (this.#all.size >= maxSessions) this.#all.delete(this.#all.keys().next().value as string);
    this.#all.set(address, session);
  }

  drop(address: string): void {
    this.#all.delete(address);
  }

  forget(): void {
    this.#generation++;
    this.#all.clear();
  }
}
