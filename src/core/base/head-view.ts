import { latin1 } from './latin1.ts';
import { PatchedFields } from './patched-fields.ts';
import type { RpcName } from './rpc-names.ts';

/** Finds the fields of a head that was read without them: fills `fields` and `count`. */
export interface FieldSource {
  readFields(head: HeadView): void;
}

/**
 * One head (request, response or trailers) of any protocol: offsets into the bytes that were read, plus a patch list.
 *
 *   buf     | GET /a HTTP/1.1\r\n | host: x\r\n | accept: y\r\n | ...      what was read; never changed
 *            methodStart..       fields[0..3]   fields[4..7]
 *   extra   | x-request-id: 7\r\n | ...                                    what filters added, in wire form
 *
 * Removing marks a field, setting removes and appends, strings are made on demand and cached. A head is valid until
 * the phase function that got it returns; `retain()` makes it live on. Names compare case-insensitively unless
 * `exactNames` is set (Bolt, Dubbo). Fields are plain data, so a head can cross a thread or go into a recording.
 */
export class HeadView extends PatchedFields {
  /** Range of the head block in `buf`; `firstEnd` is the end of the first line with its line break. */
  start = 0;
  firstEnd = 0;
  end = 0;
  methodStart = 0;
  methodEnd = 0;
  pathStart = 0;
  pathEnd = 0;
  authorityStart = 0;
  authorityEnd = 0;
  /** Response status in HTTP's scale, whatever the protocol; 0 on a request. */
  status = 0;
  /** The protocol's own status where it is another (Bolt, Dubbo, gRPC). */
  protocolStatus = 0;
  /** HTTP/1 minor version of the sender. */
  minor = 1;
  /** Announced body length in bytes, -1 when none was announced. */
  contentLength = -1;
  chunked = false;
  /** The sender closes the connection after this message. */
  close = false;
  expectContinue = false;
  /** The value of Upgrade in lower case when Connection names it, "connect" for CONNECT, else "". */
  upgrade = '';
  /** RPC words, set by codecs that have them. */
  service = '';
  rpcMethod = '';
  /** The caller waits for no answer (Bolt, Dubbo, Thrift). */
  oneWay = false;
  /** How long the caller says it waits, in ms; 0 when it does not say. */
  timeoutMs = 0;
  /**
   * Framed RPC protocols: who read this head, and where in `buf` the body stands. Then `start` to `end` is the whole
   * frame, and a codec of the same kind may send those bytes as they are while `isEdited` is false.
   */
  framing: object | null = null;
  bodyStart = 0;
  bodyEnd = 0;
  /** HTTP/2: what its codec keeps of heads that come again and again; says nothing about how the head is to be treated. */
  template: object | null = null;
  /** Fields that nobody has asked for yet. */
  source: FieldSource | null = null;
  /** The bytes of `buf` belong to somebody who will overwrite them once the call returns. */
  borrowed = false;
  /** Of a head with `lines`: offsets in `fields` of Host and Content-Length, -1 when they are not there. */
  hostField = -1;
  lengthField = -1;
  /** Overrides and caches; null means "not made yet". */
  methodText: string | null = null;
  pathText: string | null = null;
  /** Where service, method and path come from. */
  rpcName: RpcName | null = null;
  authorityText: string | null = null;
  /** Set when a filter or route changed the path or authority: the encoder then writes the text. */
  pathChanged = false;
  authorityChanged = false;
  /** Reason phrase of a local reply; codecs fill in the standard one when "". */
  reason = '';

  reset(): void {
    this.resetFields();
    this.start = this.firstEnd = this.end = 0;
    this.methodStart = this.methodEnd = this.pathStart = this.pathEnd = 0;
    this.authorityStart = this.authorityEnd = 0;
    this.status = this.protocolStatus = 0;
    this.minor = 1;
    this.contentLength = -1;
    this.chunked = this.close = this.expectContinue = this.borrowed = this.oneWay = false;
    this.framing = this.template = this.source = this.rpcName = null;
    this.timeoutMs = this.bodyStart = this.bodyEnd = 0;
    this.hostField = this.lengthField = -1;
    this.pathChanged = this.authorityChanged = false;
    this.upgrade = this.service = this.rpcMethod = this.reason = '';
    this.methodText = this.pathText = this.authorityText = null;
  }

  get method(): string {
    if (this.methodText === null) this.methodText = latin1(this.buf, this.methodStart, this.methodEnd);
    return this.methodText;
  }

  get path(): string {
    if (this.pathText === null) this.pathText = latin1(this.buf, this.pathStart, this.pathEnd);
    return this.pathText;
  }

  set path(value: string) {
    this.pathText = value;
    this.pathChanged = true;
  }

  get authority(): string {
    if (this.authorityText === null)
      this.authorityText = latin1(this.buf, this.authorityStart, this.authorityEnd);
    return this.authorityText;
  }

  set authority(value: string) {
    this.authorityText = value;
    this.authorityChanged = true;
  }

  /** Makes sure that `fields` and `count` are there: for those who read them without `find`. */
  index(): void {
    const source = this.source;
    if (source === null) return;
    this.source = null;
    source.readFields(this);
  }

  /** Leaves the fields to `source` until somebody asks for one. */
  indexLater(source: FieldSource): void {
    this.source = source;
    this.indexedCount = -1;
  }

  /** Copies borrowed bytes, so that the head outlives the read buffer. Idempotent; free when it owns them. */
  retain(): void {
    if (!this.borrowed) return;
    const copy = Buffer.allocUnsafe(this.end - this.start);
    this.buf.copy(copy, 0, this.start, this.end);
    this.rebase(copy, -this.start);
    this.borrowed = false;
  }

  /** The same bytes now stand in `buf`, `delta` further on. */
  rebase(buf: Buffer, delta: number): void {
    this.buf = buf;
    this.start += delta;
    this.firstEnd += delta;
    this.end += delta;
    this.methodStart += delta;
    this.methodEnd += delta;
    this.pathStart += delta;
    this.pathEnd += delta;
    this.authorityStart += delta;
    this.authorityEnd += delta;
    this.bodyStart += delta;
    this.bodyEnd += delta;
    this.shiftFields(delta);
  }
}
