import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { BatchWriter } from './batch-writer.ts';
import type { Doorbell } from './doorbell.ts';
import { FrameFlag, FrameType, frameHeadBytes, padded } from './frame.ts';
import { FrameView } from './frame-view.ts';
import { MailboxReader, MailboxWriter } from './mailbox.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The end of a link that takes what arrives. */
export interface FrameReceiver {
  onRequest(frame: FrameView): void;
  onResponse(frame: FrameView): void;
  onData(frame: FrameView): void;
  onTrailers(frame: FrameView): void;
  onFailed(frame: FrameView): void;
  onReset(id: number, code: number): void;
  onCredit(id: number, bytes: number): void;
  onOutcome(frame: FrameView): void;
  /** A message of its own: whatever is no batch. */
  onControl(message: unknown): void;
}

/** Memory of both directions, from this end. */
export interface Mailboxes {
  readonly out: SharedArrayBuffer;
  readonly in: SharedArrayBuffer;
}

/** One end of the connection between two threads: writes frames into batches, reads batches and delivers their frames. */
export class ThreadLink {
  readonly writer: BatchWriter;
  readonly #port: MessagePort;
  #receiver: FrameReceiver | null = null;
  readonly #view = new FrameView();
  readonly #mailboxes: Mailboxes;
  readonly #mail: MailboxReader;
  #bell: Doorbell | null = null;
  #isClosed = false;

  constructor(port: MessagePort, mailboxes: Mailboxes) {
    this.#port = port;
    this.#mailboxes = mailboxes;
    this.#mail = new MailboxReader(mailboxes.in);
    this.writer = new BatchWriter(port);
  }

  /** Delivers from now on; what arrived before is kept until then. */
  listen(receiver: FrameReceiver): void {
    this.#receiver = receiver;
    this.#port.on('message', (message: unknown) => this.#take(message));
  }

  /** Takes what the other end puts into the mailbox when the bell rings. */
  listenTo(bell: Doorbell): void {
    if (this.#isClosed) {
      bell.close();
      return;
    }
    this.#bell = bell;
    bell.onRing(() => this.#takeMail());
  }

  /** The other end listens to the bell: batches may go by the mailbox. */
  ringAtOther(): void {
    const bell = this.#bell;
    if (bell === null || this.#isClosed) return;
    this.writer.mailbox = new MailboxWriter(this.#mailboxes.out, () => this.#ring(bell));
  }

  /** Looks whether something waits: called now and then, so that a ring that was not heard costs time and no call. */
  look(): void {
    this.#takeMail();
  }

  /** Posts a message of its own, behind what was written before it. @throws DataCloneError */
  post(message: object): void {
    if (this.#isClosed) return;
    this.writer.flush();
    this.#port.postMessage(message);
    this.writer.messages++;
  }

  /** Delivers now what has arrived and waits: the other end's last words, when its thread is gone. */
  drain(): void {
    for (;;) {
      const next = receiveMessageOnPort(this.#port);
      if (next === undefined) break;
      this.#take(next.message);
    }
    this.#takeMail();
  }

  close(): void {
    this.#isClosed = true;
    this.writer.close();
    this.#port.close();
    this.#bell?.close();
  }

  #ring(bell: Doorbell): void {
    try {
      bell.ring();
    } catch {
      // A pipe without a reader: what is in the mailbox is found with the next message.
      this.writer.mailbox = null;
      this.post(new ArrayBuffer(0));
    }
  }

  #takeMail(): void {
    const slab = this.#isClosed ? null : this.#mail.take();
    if (slab !== null) this.#read(slab, []);
  }

  #take(message: unknown): void {
    this.#takeMail();
    this.#mail.tookMessage();
    if (message instanceof ArrayBuffer) this.#read(message, []);
    else if (Array.isArray(message)) this.#read(message[0] as ArrayBuffer, message as ArrayBuffer[]);
    else this.#receiver?.onControl(message);
  }

  /** @param message the slab and its pieces */
  #read(slab: ArrayBuffer, message: readonly ArrayBuffer[]): void {
    const view = this.#view;
    const buf = Buffer.from(slab);
    const words = new Int32Array(slab);
    let piece = 1;
    for (let at = 0; at < buf.length && !this.#isClosed; ) {
      const word = at >> 2;
      const type = words[word] as number;
      const headBytes = words[word + 2] as number;
      const bodyBytes = words[word + 3] as number;
      view.buf = buf;
      view.words = words;
      view.at = at;
      view.id = words[word + 1] as number;
      view.flags = (type >>> 8) & 255;
      view.key = type >>> 16;
      if ((view.flags & FrameFlag.piece) !== 0) {
        view.body = Buffer.from(message[piece++] as ArrayBuffer);
        view.bodyStart = 0;
        view.bodyEnd = view.body.length;
      } else {
        view.body = buf;
        view.bodyStart = at + frameHeadBytes + headBytes;
        view.bodyEnd = view.bodyStart + bodyBytes;
      }
      at += frameHeadBytes + headBytes + padded(bodyBytes);
      this.#deliver(type & 255, view);
    }
    view.buf = view.body = nothing;
  }

  #deliver(type: number, view: FrameView): void {
    const receiver = this.#receiver as FrameReceiver;
    switch (type) {
      case FrameType.request:
        receiver.onRequest(view);
        break;
      case FrameType.response:
        receiver.onResponse(view);
        break;
      case FrameType.data:
        receiver.onData(view);
        break;
      case FrameType.trailers:
        receiver.onTrailers(view);
        break;
      case FrameType.failed:
        receiver.onFailed(view);
        break;
      case FrameType.reset:
        receiver.onReset(view.id, view.word(0));
        break;
      case FrameType.credit:
        receiver.onCredit(view.id, view.word(0));
        break;
      case FrameType.outcome:
        receiver.onOutcome(view);
        break;
    }
  }
}
