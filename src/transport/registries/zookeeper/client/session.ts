import type { Clock, Timer } from '../../../../core/base/clock.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import type { Random } from '../../../../core/base/random.ts';
import type { Dialer } from '../../../../core/contract/wire.ts';
import { type ConnectionListener, ZooKeeperConnection } from '../wire/connection.ts';
import { Op, Xid, ZkCode } from '../wire/protocol.ts';
import { type ConnectAnswer, noSession, type SessionToken, type WatchEvent } from '../wire/records.ts';
import { authenticate, type Credentials } from './authentication.ts';
import { Ensemble } from './ensemble.ts';
import { putWatches, WatchTable } from './watch-table.ts';

export interface SessionOptions {
  /** "host:port" each; asked in an order of this client's own. */
  readonly servers: readonly string[];
  /** Asked for; the server may grant more or less. */
  readonly sessionTimeoutMs: number;
  /** Dial, TLS and handshake with one server. */
  readonly connectTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** Asked on every connection: they may have changed (none). */
  readonly credentials: (() => Promise<readonly Credentials[]>) | null;
  /** Rests after a round of all servers double from the first to the second. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Of another process that let go of it (`letGo`): its ephemeral nodes stay. */
  readonly resume?: SessionToken | undefined;
}

export interface SessionContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly dial: Dialer;
}

export interface SessionListener {
  /** @param isNew nodes of an earlier session are gone, or will go; false: the same session as before */
  onConnected(isNew: boolean): void;
  /** Also told when the reason changes, and when by our own clock the session must have expired. */
  onDisconnected(reason: string): void;
}

/** expired: not heard of for so long that the server must have ended the session; it is shown all the same. */
export type SessionState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'closed';

/**
 * One session over as many connections as it takes.
 *
 *   connect -> (expired? a new session) -> credentials -> watches again -> connected
 *      ^                                                                       |
 *      +---- back-off ---- suspended (expired by our own clock later on) <-----+
 */
export class Session {
  readonly watches = new WatchTable();
  readonly clock: Clock;
  readonly random: Random;
  readonly #options: SessionOptions;
  readonly #context: SessionContext;
  readonly #ensemble: Ensemble;
  readonly #listeners = new Set<SessionListener>();
  /** Servers that do not know recursive watches (before 3.6). */
  readonly #old = new Set<string>();
  #connection: ZooKeeperConnection | null = null;
  #token: SessionToken;
  #zxid = 0n;
  #state: SessionState = 'connecting';
  #reason = '';
  #timer: Timer | null = null;
  #expiry: Timer | null = null;
  #timeoutMs: number;
  #isNew = true;

  constructor(options: SessionOptions, context: SessionContext) {
    this.#options = options;
    this.#context = context;
    this.clock = context.clock;
    this.random = context.random;
    const backoff = { baseMs: options.backoffBaseMs, maxMs: options.backoffMaxMs };
    this.#ensemble = new Ensemble(options.servers, backoff, context.random);
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#token = options.resume ?? noSession;
    this.#isNew = options.resume === undefined;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Why it is not connected; "" when it is, and while the first try is under way. */
  get reason(): string {
    return this.#reason;
  }

  get token(): SessionToken {
    return this.#token;
  }

  /** The server at the other end sends events of whole subtrees without being asked again. */
  get hasRecursiveWatches(): boolean {
    return !this.#old.has(this.#ensemble.current);
  }

  /** The connection for requests; null while there is none. */
  get connection(): ZooKeeperConnection | null {
    return this.#state === 'connected' && this.#connection?.isClosed === false ? this.#connection : null;
  }

  listen(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#connection !== null || this.#state === 'closed') return;
    this.#timer = null;
    const address = this.#ensemble.next();
    const { clock, dial } = this.#context;
    const { sessionTimeoutMs: timeoutMs, connectTimeoutMs, maxFrameBytes } = this.#options;
    const wire = dial(address, connectTimeoutMs);
    const asked = { session: this.#token, lastZxid: this.#zxid, timeoutMs };
    const limits = { handshakeTimeoutMs: connectTimeoutMs, maxFrameBytes };
    this.#connection = new ZooKeeperConnection(wire, { clock, ...asked, ...limits }, this.#hearing());
  }

  /** Ends the session: its ephemeral nodes go. @returns once the server said so, or cannot be asked */
  close(): Promise<void> {
    const connection = this.#connection;
    const canAsk = this.#state === 'connected' && connection !== null;
    this.#shut();
    if (!canAsk) {
      connection?.close('closed');
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const over = (): void => {
        limit.cancel();
        connection.end('closed');
        resolve();
      };
      const limit = this.#context.clock.setTimer(this.#options.connectTimeoutMs, over);
      connection.request(Op.closeSession, 'close', null, over);
    });
  }

  /** Leaves the session alive for another process that resumes it within its timeout. */
  letGo(): SessionToken {
    const connection = this.#connection;
    this.#shut();
    connection?.end('handed over');
    return this.#token;
  }

  /** The server does not know recursive watches, and ends the connection itself: the next one does without. */
  useOneShotWatches(): void {
    this.#old.add(this.#ensemble.current);
    this.watches.forgetRecursive();
    this.#connection?.close('no recursive watches here (before 3.6), one-shot ones from now on');
  }

  #shut(): void {
    this.#state = 'closed';
    this.#reason = 'closed';
    this.#timer?.cancel();
    this.#expiry?.cancel();
    this.#listeners.clear();
  }

  #hearing(): ConnectionListener {
    let isAnswered = false;
    return {
      onAnswer: (answer) => {
        isAnswered = true;
        this.#answered(answer);
      },
      onEvent: (event: WatchEvent) => {
        if (event.type > 0) this.watches.dispatch(event);
      },
      onClose: (reason) => this.#lost(reason, isAnswered),
    };
  }

  #answered(answer: ConnectAnswer): void {
    if (answer.timeoutMs <= 0) {
      // One that ended while it was away, or was resumed too late: the next connection begins a new one.
      this.#forgetSession();
      this.#connection?.close('the session has expired');
      return;
    }
    if (answer.session.id !== this.#token.id) this.#isNew = true;
    this.#expiry?.cancel();
    this.#token = answer.session;
    this.#timeoutMs = answer.timeoutMs;
    const connection = this.#connection as ZooKeeperConnection;
    const { credentials } = this.#options;
    if (credentials === null) {
      this.#setWatches(connection);
      return;
    }
    credentials().then(
      (all) => this.#authenticate(connection, all),
      (thrown: unknown) => connection.close(`the credentials cannot be read: ${messageOf(thrown)}`),
    );
  }

  /** One after the other, then watches; nothing is asked before the server has accepted all of them. */
  #authenticate(connection: ZooKeeperConnection, credentials: readonly Credentials[]): void {
    const [first, ...others] = credentials;
    if (connection.isClosed) return;
    if (first === undefined) {
      this.#setWatches(connection);
      return;
    }
    authenticate(connection, first, (problem) => {
      if (problem === '') this.#authenticate(connection, others);
      else connection.close(`the server refuses the credentials: ${problem}`);
    });
  }

  #setWatches(connection: ZooKeeperConnection): void {
    if (!this.hasRecursiveWatches) this.watches.forgetRecursive();
    const frames = this.watches.frames();
    let waiting = frames.length;
    for (const paths of frames) {
      connection.request(
        paths.recursive.length > 0 ? Op.setWatches2 : Op.setWatches,
        'setWatches',
        (writer) => putWatches(writer, this.#zxid, paths),
        (error) => {
          if (error?.zkCode === ZkCode.unimplemented) this.useOneShotWatches();
          if (error !== null) connection.close(`watches are not taken: ${error.message}`);
          else if (--waiting === 0) this.#connected();
        },
        Xid.setWatches,
      );
    }
    if (frames.length === 0) this.#connected();
  }

  #connected(): void {
    this.#ensemble.succeeded();
    this.#state = 'connected';
    this.#reason = '';
    const isNew = this.#isNew;
    this.#isNew = false;
    for (const listener of [...this.#listeners]) listener.onConnected(isNew);
  }

  #lost(reason: string, isAnswered: boolean): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null && connection.lastZxid > this.#zxid) this.#zxid = connection.lastZxid;
    if (this.#state === 'closed') return;
    if (isAnswered && connection !== null && this.#state !== 'connecting') this.#suspend(connection.heardMs);
    // Servers end a handshake without a word when the client has seen more than they know, as after they lost their data.
    // Past the timeout we claim to have seen nothing: they then say whether they know the session.
    if (!isAnswered && this.#state === 'expired') this.#zxid = 0n;
    this.#tell(`${this.#ensemble.current}: ${reason}`);
    this.#timer = this.#context.clock.setTimer(this.#ensemble.waitMs(), () => this.start());
  }

  #suspend(heardMs: number): void {
    this.#state = 'suspended';
    const leftMs = heardMs + this.#timeoutMs - this.#context.clock.now();
    this.#expiry = this.#context.clock.setTimer(Math.max(0, leftMs), () => this.#expireByClock());
  }

  #expireByClock(): void {
    this.#state = 'expired';
    this.#tell(
      `nothing heard for the session's ${this.#timeoutMs} ms, it must have expired; ${this.#reason}`,
    );
  }

  #forgetSession(): void {
    this.#token = noSession;
    this.#zxid = 0n;
    this.#isNew = true;
  }

  #tell(reason: string): void {
    this.#reason = reason;
    for (const listener of [...this.#listeners]) listener.onDisconnected(reason);
  }
}
