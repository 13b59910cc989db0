import { Code } from '../../core/base/codes.ts';
import { HeadView } from '../../core/base/head-view.ts';
import { ProbeResult } from '../../core/contract/health-check.ts';
import type { Dialer, Wire } from '../../core/contract/wire.ts';
import { Body, BodyReader } from '../codecs/http1/body-reader.ts';
import { Refusal } from '../codecs/http1/refusals.ts';
import { scanResponse } from '../codecs/http1/scan.ts';
import { ProbeConnection } from './probe-connection.ts';

const limits = { maxHeaderBytes: 16_384, maxHeaderCount: 100 };
/** A longer body is not read: the status has said what there was to say. */
const maxBodyBytes = 65_536;
const nothing: Buffer = Buffer.alloc(0);

/** What an answer means. Sets hold one byte a status. */
export interface HttpExpectations {
  readonly expected: Uint8Array;
  readonly retriable: Uint8Array;
  readonly isHead: boolean;
  readonly keeps: boolean;
}

/** Sends one request and reads its answer, the body only to keep the connection. */
export class HttpProbe extends ProbeConnection {
  readonly #request: Buffer;
  readonly #expectations: HttpExpectations;
  /** The beginning of a head that is not complete yet. */
  #held: Buffer = nothing;
  /** Of the final head; 0 before it came. */
  #status = 0;
  #closes = false;
  #bodyBytes = 0;
  #body: BodyReader | null = null;

  constructor(address: string, dial: Dialer, request: Buffer, expectations: HttpExpectations) {
    super(address, dial);
    this.#request = request;
    this.#expectations = expectations;
  }

  protected override send(wire: Wire): void {
    this.#held = nothing;
    this.#status = this.#bodyBytes = 0;
    wire.write(this.#request, 0, this.#request.length);
  }

  override received(buf: Buffer, start: number, end: number): void {
    if (this.#status !== 0) {
      this.#readBody(buf, start, end);
      return;
    }
    if (this.#held.length === 0) this.#readHead(buf, start, end);
    else {
      const joined = Buffer.concat([this.#held, buf.subarray(start, end)]);
      this.#readHead(joined, 0, joined.length);
    }
  }

  override ended(): void {
    if (this.#status !== 0 && this.#body?.isUntilClose === true) this.#judge(false);
    else this.closed(Code.upstreamClosed);
  }

  #readHead(buf: Buffer, start: number, end: number): void {
    const head = new HeadView();
    const at = scanResponse(head, buf, start, end, limits);
    if (at === Refusal.incomplete && end - start <= limits.maxHeaderBytes) {
      this.#held = Buffer.from(buf.subarray(start, end));
      return;
    }
    this.#held = nothing;
    if (at < 0 || head.status === 101) {
      this.finish(ProbeResult.fail, 'no_http', false);
      return;
    }
    if (head.status < 200) {
      if (at < end) this.#readHead(buf, at, end);
      return;
    }
    this.#status = head.status;
    this.#closes = head.close;
    const isBare = this.#expectations.isHead || head.status === 204 || head.status === 304;
    if (isBare || (!head.chunked && head.contentLength === 0)) {
      this.#judge(at === end);
      return;
    }
    this.#body ??= new BodyReader();
    if (head.chunked) this.#body.beginChunked();
    else if (head.contentLength > 0) this.#body.beginLength(head.contentLength);
    else this.#body.beginUntilClose();
    if (at < end) this.#readBody(buf, at, end);
  }

  #readBody(buf: Buffer, start: number, end: number): void {
    const body = this.#body as BodyReader;
    this.#bodyBytes += end - start;
    const result = body.feed(buf, start, end, false, limits);
    const isOver = result === Body.end || result === Body.endWithTrailers;
    if (isOver) this.#judge(body.at === end);
    else if (result < 0 || this.#bodyBytes > maxBodyBytes) this.#judge(false);
  }

  /** @param isClean nothing of the answer is left on the connection */
  #judge(isClean: boolean): void {
    const { expected, retriable, keeps } = this.#expectations;
    const status = this.#status;
    this.#body?.clear();
    const kept = isClean && keeps && !this.#closes;
    if (expected[status] === 1) this.finish(ProbeResult.pass, '', kept);
    else
      this.finish(retriable[status] === 1 ? ProbeResult.fail : ProbeResult.failNow, `status_${status}`, kept);
  }
}
