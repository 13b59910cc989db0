import { Backoff } from '../../../../core/base/backoff.ts';
import type { Timer } from '../../../../core/base/clock.ts';
import type { ZooKeeperClient } from '../client/client.ts';
import { ZkCode, type ZooKeeperError } from '../wire/protocol.ts';
import type { WatchEvent } from '../wire/records.ts';

/** After an answer that is neither a result nor a lost connection, such as noAuth. */
const retry = { baseMs: 1000, maxMs: 60_000 };

/**
 * A place in the tree that is kept in view: read whole after every connect, because recursive watches do not say what
 * happened in between, and followed by events from then on.
 *
 *   onConnected -> watch + read (pipelined: what changes after the watch is an event) -> events
 */
export abstract class Watched {
  protected readonly client: ZooKeeperClient;
  protected readonly path: string;
  readonly #onTrouble: (reason: string) => void;
  /** Where the recursive watch is set: here, or above, shared with others. */
  readonly #watchedFrom: string;
  readonly #backoff: Backoff;
  #stops: (() => void)[] = [];
  #timer: Timer | null = null;
  protected isStopped = false;

  constructor(
    client: ZooKeeperClient,
    path: string,
    onTrouble: (reason: string) => void,
    watchedFrom: string = path,
  ) {
    this.client = client;
    this.path = path;
    this.#onTrouble = onTrouble;
    this.#watchedFrom = watchedFrom;
    this.#backoff = new Backoff(retry, client.session.random);
  }

  start(): void {
    const { session } = this.client;
    this.#stops = [
      this.client.listen(this.path, (event) => this.onEvent(event)),
      // The watch lasts as long as somebody listens where it is set.
      this.client.listen(this.#watchedFrom, () => undefined),
      session.listen({
        onConnected: () => this.#begin(),
        onDisconnected: (reason) => this.trouble(reason),
      }),
    ];
    if (session.connection !== null) this.#begin();
    else if (session.reason !== '') this.trouble(session.reason);
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.#timer?.cancel();
    for (const stop of this.#stops) stop();
  }

  protected get isRecursive(): boolean {
    return this.client.session.hasRecursiveWatches;
  }

  /** Reads everything; one-shot watches are set by the reading itself. */
  protected abstract read(): void;
  protected abstract onEvent(event: WatchEvent): void;

  /** @returns whether there was no error; what failed for want of a connection is read again after the next connect */
  protected isFine(error: ZooKeeperError | null): boolean {
    if (this.isStopped) return false;
    if (error === null) {
      this.#backoff.reset();
      return true;
    }
    if (error.zkCode === ZkCode.connectionLoss || error.zkCode === ZkCode.unimplemented) return false;
    this.trouble(error.message);
    this.#timer?.cancel();
    this.#timer = this.client.session.clock.setTimer(this.#backoff.nextMs(), () => this.#begin());
    return false;
  }

  protected trouble(reason: string): void {
    if (!this.isStopped) this.#onTrouble(reason);
  }

  #begin(): void {
    this.#timer?.cancel();
    if (this.isRecursive) this.client.watchRecursively(this.#watchedFrom, (error) => void this.isFine(error));
    this.read();
  }
}
