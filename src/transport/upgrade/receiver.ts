import { Server, Socket } from 'node:net';
import { Code } from '../../core/base/codes.ts';
import { messageOf } from '../../core/base/errors.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Listener } from '../listener/listener.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import type { HandleChannel, HandOverMessage } from './channel.ts';

type ConnectionMessage = HandOverMessage & { readonly heddle: 'connection' };

/**
 * The new generation's half: takes listening sockets and connections over into its own listeners, which carry the
 * same names. Resolves `ended` with the number of connections that the old generation counts as moved.
 */
export class HandOverReceiver {
  readonly ended: Promise<number>;
  taken = 0;
  readonly #channel: HandleChannel;
  readonly #listenerOf: (name: string) => Listener | null;
  readonly #logger: Logger;

  constructor(channel: HandleChannel, listenerOf: (name: string) => Listener | null, logger: Logger) {
    this.#channel = channel;
    this.#listenerOf = listenerOf;
    this.#logger = logger;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    const stop = channel.listen(
      (message, handle) => {
        if (message.heddle === 'listener') void this.#takeListener(message.listener, handle);
        else if (message.heddle === 'connection') this.#takeConnection(message, handle);
        else if (message.heddle === 'end') resolve(message.moved);
      },
      () => resolve(this.taken),
    );
    void promise.then(stop);
    channel.send({ heddle: 'ready' });
  }

  async #takeListener(name: string, handle: unknown): Promise<void> {
    let failure = '';
    try {
      const listener = this.#listenerOf(name);
      if (listener === null) failure = 'no listener of that name here';
      else if (!(handle instanceof Server)) failure = 'the listening socket did not arrive';
      else await listener.start(handle);
    } catch (error) {
      failure = messageOf(error);
    }
    this.#channel.send({ heddle: 'listening', listener: name, failure });
  }

  /** The socket reads from the start: it is attached before this turn ends, so no byte is missed. */
  #takeConnection(message: ConnectionMessage, handle: unknown): void {
    const ok = handle instanceof Socket && this.#adopt(message, handle);
    if (ok) this.taken++;
    this.#channel.send({ heddle: 'taken', id: message.id, ok });
  }

  #adopt(message: ConnectionMessage, socket: Socket): boolean {
    const listener = this.#listenerOf(message.listener);
    if (listener === null) {
      socket.destroy();
      return false;
    }
    socket.allowHalfOpen = true;
    const wire = new SocketWire(socket, message.kind, 'accepted');
    try {
      listener.serve(wire).importState({ ...message.state, unread: Buffer.from(message.state.unread) });
      return true;
    } catch (error) {
      this.#logger.error('a connection could not be taken over', {
        listener: message.listener,
        error: messageOf(error),
      });
      wire.destroy(Code.transferred);
      return false;
    }
  }
}
