import { connect, type Socket } from 'node:net';

/** How a protocol's requests and answers look to a client that checks them. */
export interface Protocol {
  request(path: string): string;
  /** The body of the first complete answer in `text` and the length of that answer; null: not complete. */
  answer(text: string): { body: string; length: number } | null;
  /** Sent first, answered like a request. */
  readonly greeting: (name: string) => string;
}

export const lines: Protocol = {
  greeting: (name) => `LOGIN ${name}\n0\n`,
  request: (path) => `GET ${path}\n0\n`,
  answer: (text) => {
    const match = /^200\n(\d+)\n/.exec(text);
    if (match === null) return null;
    const start = match[0].length;
    const end = start + Number(match[1]);
    return text.length < end + 2 ? null : { body: text.slice(start, end), length: end + 2 };
  },
};

export const http: Protocol = {
  greeting: (name) => http.request(`/hello-${name}`),
  request: (path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`,
  answer: (text) => {
    const start = text.indexOf('\r\n\r\n') + 4;
    if (start < 4) return null;
    const end = start + Number(/content-length: (\d+)/i.exec(text)?.[1]);
    return text.length < end ? null : { body: text.slice(start, end), length: end };
  },
};

/** One long connection that keeps `window` requests under way and checks that each is answered once, in order. */
export class EchoClient {
  sent = 0;
  answered = 0;
  closedEarly = false;
  readonly problems: string[] = [];
  /** Process that gave the last answer. */
  pid = 0;
  isStopping = false;
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #protocol: Protocol;
  readonly #name: string;
  readonly #window: number;
  readonly #isSlow: boolean;
  #text = '';
  #rest = '';
  #isGreeted = false;
  #resolve: () => void;

  /** @param isSlow asks again only when `fill` is called */
  constructor(address: string, name: string, protocol: Protocol, window: number, isSlow = false) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#protocol = protocol;
    this.#name = name;
    this.#window = window;
    this.#isSlow = isSlow;
    const [host, port] = address.split(':') as [string, string];
    this.#socket = connect(host === 'unix' ? { path: port } : { host, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk.toString('latin1')));
    this.#socket.on('error', (error) => this.problems.push(error.message));
    this.#socket.on('close', () => {
      if (this.sent > this.answered || !this.isStopping) this.closedEarly = true;
      this.#resolve();
    });
    this.#socket.write(protocol.greeting(name));
  }

  /** Ends once what is under way is answered. */
  stop(): void {
    this.isStopping = true;
    if (this.sent === this.answered) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    for (
      let next = this.#protocol.answer(this.#text);
      next !== null;
      next = this.#protocol.answer(this.#text)
    ) {
      this.#text = this.#text.slice(next.length);
      if (this.#isGreeted) this.#check(next.body);
      this.#isGreeted = true;
    }
    if (this.isStopping) {
      if (this.sent === this.answered) this.#socket.end();
      return;
    }
    if (!this.#isSlow || this.sent === 0) this.fill();
  }

  /** Sends as many requests as the window has room for. */
  fill(): void {
    while (this.#isGreeted && !this.isStopping && this.sent - this.answered < this.#window) this.#ask();
  }

  #check(body: string): void {
    const [path, pid, session] = body.split(' ');
    if (path !== this.#path(this.answered))
      this.problems.push(`${path} instead of ${this.#path(this.answered)}`);
    if (session !== '' && session !== this.#name)
      this.problems.push(`session ${session} of another connection`);
    if (this.#protocol === lines && session !== this.#name) this.problems.push('the session was lost');
    this.pid = Number(pid);
    this.answered++;
  }

  /** Every seventh request leaves in two writes, so that a move meets half a message. */
  #ask(): void {
    const request = this.#protocol.request(this.#path(this.sent));
    const isSplit = this.sent++ % 7 === 0;
    if (this.#rest !== '') {
      this.#rest += request;
    } else if (isSplit) {
      this.#socket.write(request.slice(0, 9));
      this.#rest = request.slice(9);
      setImmediate(() => {
        this.#socket.write(this.#rest);
        this.#rest = '';
      });
    } else this.#socket.write(request);
  }

  #path(i: number): string {
    return `/${this.#name}/${i}`;
  }
}
