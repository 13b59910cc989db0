import type { Socket } from 'node:net';

/** One request or answer; a capture's page with a full verdict has about 100 KB. */
const maxLineBytes = 16 * 1024 * 1024;

/** JSON values as lines over a socket. Input that is no JSON or too long ends the connection. */
export class LineChannel {
  readonly socket: Socket;
  #rest = '';
  #receive: (message: unknown) => void = () => {};
  #closed: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
    socket.on('data', (text: string) => this.#read(text));
  }

  onMessage(receive: (message: unknown) => void): void {
    this.#receive = receive;
  }

  onClose(closed: () => void): void {
    this.#closed = closed;
  }

  send(message: unknown): void {
    if (!this.socket.destroyed) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  close(): void {
    this.socket.end();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxLineBytes) {
      this.socket.destroy();
      return;
    }
    for (const line of lines) {
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        this.socket.destroy();
        return;
      }
      this.#receive(message);
    }
  }
}
