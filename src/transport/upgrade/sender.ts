import type { Socket } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { CodecState, ServerConnection } from '../../core/contract/codec.ts';
import type { Listener } from '../listener/listener.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import type { HandleChannel, HandOverMessage } from './channel.ts';

export interface HandOverResult {
  readonly moved: number;
  /** Those that were busy too long or whose codec cannot move: drain them here. */
  readonly left: number;
}

/** Connections that are kept from reading at the same time, so that one that is busy holds up no other. */
const heldAtOnce = 32;
/** How long a connection may be held for what runs on it; then it stays. */
const longestHoldMs = 5000;
const lookMs = 5;

interface Held {
  readonly codec: ServerConnection;
  readonly wire: SocketWire;
  readonly sinceMs: number;
}

/**
 * The old generation's half of a hand-over. For each connection: stop reading, let what runs finish, take the state,
 * send socket and state, close our descriptor within the same turn (bytes read in between would be lost), wait for the
 * answer. The socket itself never notices: the descriptor is duplicated, so `destroy` here sends no FIN.
 */
export class HandOverSender {
  readonly #channel: HandleChannel;
  readonly #clock: Clock;
  #wake: () => void = () => {};
  #ids = 0;
  #moved = 0;
  #answer: HandOverMessage | null = null;
  #isReady = false;
  readonly #stop: () => void;

  constructor(channel: HandleChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#stop = channel.listen(
      (message) => {
        if (message.heddle === 'ready') this.#isReady = true;
        else this.#answer = message;
        this.#wake();
      },
      () => this.#wake(),
    );
  }

  /** Resolves when the new generation is ready. @throws HeddleError ERR_UPGRADE_FAILED */
  async ready(timeoutMs: number): Promise<void> {
    const untilMs = this.#clock.now() + timeoutMs;
    while (!this.#isReady) {
      if (!this.#channel.isOpen) throw new HeddleError('ERR_UPGRADE_FAILED', 'the new process ended');
      const leftMs = untilMs - this.#clock.now();
      if (leftMs <= 0) throw new HeddleError('ERR_UPGRADE_FAILED', `not ready within ${timeoutMs} ms`);
      await this.#news(leftMs);
    }
  }

  /** The listening socket goes first: from then on the new generation accepts. @throws HeddleError ERR_UPGRADE_FAILED */
  async sendListener(listener: Listener): Promise<void> {
    const server = listener.server;
    if (server === null)
      throw new HeddleError('ERR_UPGRADE_FAILED', `listener ${listener.name} does not listen`);
    this.#channel.send({ heddle: 'listener', listener: listener.name }, server);
    const answer = await this.#answered();
    if (answer?.heddle !== 'listening' || answer.failure !== '') {
      const reason = answer?.heddle === 'listening' ? answer.failure : 'the new process ended';
      throw new HeddleError('ERR_UPGRADE_FAILED', `listener ${listener.name} (${reason})`);
    }
    listener.stopAfterHandOver();
  }

  /** Moves the listener's connections; ends early when the new process does. */
  async sendConnections(listener: Listener): Promise<HandOverResult> {
    const waiting = [...listener.connections];
    const held: Held[] = [];
    const movedBefore = this.#moved;
    listener.onIdle = () => process.nextTick(this.#wake);
    try {
      while (this.#channel.isOpen) {
        this.#fill(listener, waiting, held);
        if (held.length === 0) break;
        const at = held.findIndex((each) => isMovable(each));
        if (at >= 0) await this.#sendOne(listener, held.splice(at, 1)[0] as Held);
        else await this.#news(lookMs);
        this.#giveUpLate(listener, held);
      }
    } finally {
      listener.onIdle = null;
      for (const each of held) each.wire.release();
    }
    return { moved: this.#moved - movedBefore, left: listener.connectionCount };
  }

  /** Nothing more will come. The channel stays the caller's. */
  end(): void {
    if (this.#channel.isOpen) this.#channel.send({ heddle: 'end', moved: this.#moved });
    this.#stop();
  }

  #fill(listener: Listener, waiting: ServerConnection[], held: Held[]): void {
    while (held.length < heldAtOnce && waiting.length > 0) {
      const codec = waiting.pop() as ServerConnection;
      if (!listener.connections.has(codec) || !(codec.wire instanceof SocketWire)) continue;
      codec.wire.hold();
      held.push({ codec, wire: codec.wire, sinceMs: this.#clock.now() });
    }
  }

  #giveUpLate(listener: Listener, held: Held[]): void {
    const untilMs = this.#clock.now() - longestHoldMs;
    for (let i = held.length - 1; i >= 0; i--) {
      const each = held[i] as Held;
      const isGone = !listener.connections.has(each.codec);
      if (!isGone && each.sinceMs > untilMs) continue;
      held.splice(i, 1);
      each.wire.release();
    }
  }

  async #sendOne(listener: Listener, { codec, wire }: Held): Promise<void> {
    const state = codec.exportState();
    if (state === null) {
      wire.release();
      return;
    }
    const kind = wire.kind === 'unix' ? 'unix' : 'tcp';
    const { handle, unread } = wire.detach();
    const socket = handle as Socket;
    listener.closed(codec);
    const id = ++this.#ids;
    this.#channel.send(
      { heddle: 'connection', id, listener: listener.name, kind, state: joined(state, unread) },
      socket,
    );
    // The same turn: a byte that this process still read would be lost.
    socket.destroy();
    const answer = await this.#answered();
    if (answer?.heddle === 'taken' && answer.id === id && answer.ok) this.#moved++;
  }

  /** The answer to what was sent last; null when the channel closed. */
  async #answered(): Promise<HandOverMessage | null> {
    while (this.#answer === null && this.#channel.isOpen) await this.#news(lookMs * 20);
    const answer = this.#answer;
    this.#answer = null;
    return answer;
  }

  /** A message, an idle connection, the end of the channel, or the time. */
  async #news(atMostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(atMostMs, resolve);
    this.#wake = resolve;
    await promise;
    timer.cancel();
  }
}

function isMovable({ codec, wire }: Held): boolean {
  return codec.isIdle() && wire.canDetach && wire.pending === 0;
}

function joined(state: CodecState, unread: Buffer): CodecState {
  return unread.length === 0 ? state : { ...state, unread: Buffer.concat([state.unread, unread]) };
}
