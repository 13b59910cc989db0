import type { ChildProcess } from 'node:child_process';
import type { Server, Socket } from 'node:net';
import type { CodecState } from '../../core/contract/codec.ts';

/**
 * What two generations say to each other, in this order:
 *
 *   new  ready
 *   old  listener (with the listening socket)      new  listening
 *   old  connection (with the socket)              new  taken         one at a time
 *   old  end
 */
export type HandOverMessage =
  | { readonly heddle: 'ready' }
  | { readonly heddle: 'listener'; readonly listener: string }
  | { readonly heddle: 'listening'; readonly listener: string; readonly failure: string }
  | {
      readonly heddle: 'connection';
      readonly id: number;
      readonly listener: string;
      readonly kind: 'tcp' | 'unix';
      readonly state: CodecState;
    }
  | { readonly heddle: 'taken'; readonly id: number; readonly ok: boolean }
  | { readonly heddle: 'end'; readonly moved: number };

/** A path to another process that carries sockets. */
export interface HandleChannel {
  readonly isOpen: boolean;
  send(message: HandOverMessage, handle?: Socket | Server): void;
  /** Returns the function that stops listening. */
  listen(onMessage: (message: HandOverMessage, handle: unknown) => void, onClose: () => void): () => void;
}

/** The IPC channel of a child process, or of this process to its parent. Needs `serialization: 'advanced'`. */
export function processChannel(peer: ChildProcess | NodeJS.Process): HandleChannel {
  return {
    get isOpen() {
      return peer.connected;
    },
    send: (message, handle) => {
      // The callback takes what went wrong: the close of the channel is the news.
      peer.send?.(message, handle, { keepOpen: true }, () => {});
    },
    listen: (onMessage, onClose) => {
      const take = (message: unknown, handle: unknown): void => {
        if (isHandOver(message)) onMessage(message, handle);
      };
      // ChildProcess and Process share these two events, not a type.
      const emitter = peer as NodeJS.EventEmitter;
      emitter.on('message', take);
      emitter.on('disconnect', onClose);
      return () => {
        emitter.off('message', take);
        emitter.off('disconnect', onClose);
      };
    },
  };
}

function isHandOver(message: unknown): message is HandOverMessage {
  return typeof message === 'object' && message !== null && 'heddle' in message;
}
