import { Code } from '../../core/base/codes.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { ApplicationAnswer } from './answer.ts';
import type { ApplicationDoor } from './application.ts';
import { BodyCapture } from './body-capture.ts';
import { type Request, type Response, readRequest, writeHeaders, writeRequest } from './messages.ts';

const nothing: Buffer = Buffer.alloc(0);

/**
 * One request of a protected server, as the downstream end of its stream.
 *
 *   server.emit -> begin -> filters -> route -> admit -> server.emit goes on -> the application
 *                                   \-> a local reply, or an answer of another cluster, is written to `response`
 *
 * Bodies of answers of the application go out as it writes them; only their heads pass the filters.
 */
export class Exchange implements StreamEnd, ApplicationDoor {
  readonly request: Request;
  readonly response: Response;
  readonly #goOn: (s: Stream) => void;
  #stream: Stream | null = null;
  #gen = 0;
  #fieldCount = 0;
  #capture: BodyCapture | null = null;
  #answer: ApplicationAnswer | null = null;
  #isBeginning = false;
  #isAdmitted = false;

  /** @param goOn gives the request to the application */
  constructor(request: Request, response: Response, goOn: (s: Stream) => void) {
    this.request = request;
    this.response = response;
    this.#goOn = goOn;
  }

  /** @param capturesBody the body goes through the mesh, not past it */
  begin(s: Stream, capturesBody: boolean): void {
    this.#stream = s;
    this.#gen = s.gen;
    s.down = this;
    try {
      this.#fieldCount = readRequest(s.req, this.request);
    } catch {
      s.core.release(s);
      this.#stream = null;
      this.response.statusCode = 400;
      this.response.end();
      return;
    }
    const hasBody = capturesBody && (s.req.chunked || s.req.contentLength > 0 || isOpenHttp2(this.request));
    if (hasBody) this.#capture = new BodyCapture(this.request, s);
    s.requestOwned = true;
    this.response.on('close', this.#onClose);
    this.#isBeginning = true;
    s.core.requestHead(s, null, 0, 0, !hasBody);
    this.#isBeginning = false;
    if (this.#isAdmitted) this.#enter(s);
  }

  // ---- towards the application -----------------------------------------------------------------------------------

  admit(s: Stream): StreamEnd {
    this.#answer = new ApplicationAnswer(this, s, this.#capture);
    return this.#answer;
  }

  /** The request head has left the mesh for the application. */
  entered(s: Stream): void {
    writeRequest(s.req, this.#fieldCount, this.request);
    this.#isAdmitted = true;
    // Not from within the data path: the application may throw or answer at once.
    if (!this.#isBeginning) process.nextTick(() => this.#enter(s));
  }

  #enter(s: Stream): void {
    if (s.gen !== this.#gen || this.#stream === null) return;
    this.#answer?.hook();
    this.#goOn(s);
  }

  // ---- towards the client ----------------------------------------------------------------------------------------

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (this.#answer !== null && !s.isLocalReply) {
      this.#answer.headPassed(head);
      return true;
    }
    const response = this.response;
    this.#answer?.replace();
    if (response.headersSent) {
      response.destroy();
      return true;
    }
    writeHeaders(head, response);
    response.statusCode = head.status;
    if (this.#isAdmitted && this.#capture !== null && !s.requestDone) this.#refuseRest(buf, a, b);
    else this.#write(buf, a, b, end);
    this.#answer?.muffle();
    return true;
  }

  /** In the middle of a body: the application gets no more of it, and hears of an aborted request when the socket closes. */
  #refuseRest(buf: Buffer | null, a: number, b: number): void {
    const { response } = this;
    if (this.request.httpVersionMajor < 2) response.setHeader('connection', 'close');
    const end = response.end.bind(response) as () => void;
    this.#write(buf, a, b, false);
    this.#capture?.drop(end);
  }

  sendData(_s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    return this.#answer !== null ? true : this.#write(buf, a, b, end);
  }

  sendTrailers(_s: Stream, trailers: HeadView): void {
    const fields = trailers.toObject();
    this.response.addTrailers(fields as never);
    this.response.end();
  }

  #write(buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const response = this.response as import('node:http').ServerResponse;
    // Borrowed bytes: the response may keep them.
    const bytes = buf === null || a === b ? null : Buffer.from(buf.subarray(a, b));
    if (end) {
      response.end(bytes ?? nothing);
      return true;
    }
    if (bytes === null) {
      response.flushHeaders();
      return true;
    }
    if (response.write(bytes)) return true;
    response.once('drain', () => {
      const s = this.#stream;
      if (s !== null && s.gen === this.#gen) s.core.writable(s, this);
    });
    return false;
  }

  reset(_s: Stream, _code: number): void {
    this.#over();
    this.response.destroy();
  }

  pauseRead(): void {
    this.#capture?.pause();
  }

  resumeRead(): void {
    this.#capture?.resume();
  }

  #over(): void {
    this.#stream = null;
    this.#capture?.release();
    this.#answer?.release();
  }

  /** The answer is out, or the client is gone. */
  readonly #onClose = (): void => {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen) {
      this.#over();
      return;
    }
    const answer = this.#answer;
    if (answer !== null && !answer.isReplaced && this.response.writableFinished) answer.finished(s);
    else s.core.downstreamReset(s, Code.downstreamClosed);
    this.#over();
  };
}

/** Of HTTP/2 only the stream knows whether a body comes. */
function isOpenHttp2(request: Request): boolean {
  return 'stream' in request && !request.stream.endAfterHeaders;
}
