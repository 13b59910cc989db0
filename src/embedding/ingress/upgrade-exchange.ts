import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Code } from '../../core/base/codes.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import type { ApplicationDoor } from './application.ts';
import { type Request, readRequest, writeRequest } from './messages.ts';

const nothing: Buffer = Buffer.alloc(0);

/**
 * An upgrade or CONNECT of a protected server: its head passes the filters, then the socket is the application's. The
 * stream lasts as long as the socket.
 */
export class UpgradeExchange implements StreamEnd, ApplicationDoor {
  readonly #request: Request;
  readonly #socket: Duplex;
  readonly #goOn: (s: Stream) => void;
  #stream: Stream | null = null;
  #gen = 0;
  #fieldCount = 0;
  #isBeginning = false;
  #isAdmitted = false;

  constructor(request: Request, socket: Duplex, goOn: (s: Stream) => void) {
    this.#request = request;
    this.#socket = socket;
    this.#goOn = goOn;
  }

  begin(s: Stream): void {
    this.#stream = s;
    this.#gen = s.gen;
    s.down = this;
    try {
      this.#fieldCount = readRequest(s.req, this.#request);
    } catch {
      s.core.release(s);
      this.#refuse(400, '', nothing);
      return;
    }
    this.#socket.on('error', ignore);
    this.#socket.once('close', () => this.#closed());
    this.#isBeginning = true;
    s.core.requestHead(s, null, 0, 0, true);
    this.#isBeginning = false;
    if (this.#isAdmitted) this.#enter(s);
  }

  /** The application as its upstream: there is nothing to send. */
  admit(): StreamEnd {
    const entered = (s: Stream): void => {
      writeRequest(s.req, this.#fieldCount, this.#request);
      this.#isAdmitted = true;
      if (!this.#isBeginning) process.nextTick(() => this.#enter(s));
    };
    return {
      sendInformational: ignore,
      sendHead(s) {
        entered(s);
        return true;
      },
      sendData: () => true,
      sendTrailers: ignore,
      reset: ignore,
      pauseRead: ignore,
      resumeRead: ignore,
    };
  }

  #enter(s: Stream): void {
    if (s.gen !== this.#gen || this.#stream === null) return;
    // The listener of before is Node's and the application's affair again.
    this.#socket.off('error', ignore);
    this.#goOn(s);
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number): boolean {
    let fields = '';
    head.forEach((name, value) => {
      if (name.toLowerCase() !== 'content-length') fields += `${name}: ${value}\r\n`;
    });
    this.#stream = null;
    this.#refuse(s.res.status, fields, buf === null ? nothing : Buffer.from(buf.subarray(a, b)));
    return true;
  }

  sendData(): boolean {
    return true;
  }

  sendTrailers(): void {}

  reset(): void {
    this.#stream = null;
    this.#socket.destroy();
  }

  pauseRead(): void {}

  resumeRead(): void {}

  #refuse(status: number, fields: string, body: Buffer): void {
    const head =
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\n${fields}` +
      `content-length: ${body.length}\r\n\r\n`;
    this.#socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () => this.#socket.destroy());
  }

  #closed(): void {
    const s = this.#stream;
    this.#stream = null;
    if (s === null || s.gen !== this.#gen) return;
    if (!this.#isAdmitted) {
      s.core.downstreamReset(s, Code.downstreamClosed);
      return;
    }
    // What the application answered went past the mesh: that it had the socket is all that is known.
    s.res.reset();
    s.res.status = 101;
    s.isTunnel = true;
    s.tunnelEnds = 1;
    s.responseStarted = true;
    s.core.responseData(s, nothing, 0, 0, true);
  }
}

function ignore(): void {}
