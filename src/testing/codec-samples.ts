import { HeadView } from '../core/base/head-view.ts';
import type { ServerLimits } from '../core/contract/codec.ts';

export interface MessageSample {
  readonly headers?: Readonly<Record<string, string>>;
  /** Body chunks; each is sent by its own call, the first with the head. */
  readonly body?: readonly (string | Buffer)[];
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface RequestSample extends MessageSample {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
}

export interface ResponseSample extends MessageSample {
  readonly status: number;
}

/** A request and its answer, as the caller would say it: no framing headers. */
export interface ExchangeSample {
  readonly title: string;
  readonly request: RequestSample;
  readonly informational?: readonly ResponseSample[];
  readonly response: ResponseSample;
}

/** What a codec's author gives the contract suite. */
export interface CodecSamples {
  /** The codec's configuration, defaults filled in. */
  readonly config: unknown;
  /** At least two; keep bodies short, every byte is a place to split. */
  readonly exchanges: readonly ExchangeSample[];
  /** First bytes of a connection that are another protocol's. */
  readonly foreign: readonly Buffer[];
  /** Bytes to a server that break its limits or the protocol: refused, the connection ends, no request is complete. */
  readonly refused: readonly { readonly title: string; readonly bytes: Buffer }[];
  /** Bytes from an upstream, in answer to the first exchange, that break the protocol: the stream is reset. */
  readonly refusedAnswers: readonly { readonly title: string; readonly bytes: Buffer }[];
  readonly limits?: Partial<ServerLimits>;
  /** Messages travel whole (framed RPC): no body flows, so none is held in the middle. */
  readonly wholeMessages?: boolean;
  /** Response headers that the codec adds or takes by itself (compared neither way). */
  readonly ownHeaders?: readonly string[];
}

/** Writes a request as an in-process caller does. */
export function fillRequest(head: HeadView, sample: RequestSample): void {
  head.methodText = sample.method;
  head.path = sample.path;
  head.authority = sample.authority;
  fillFields(head, sample, bodyLength(sample) > 0);
}

/** Writes a response as a local reply does. */
export function fillResponse(head: HeadView, sample: ResponseSample): void {
  head.status = sample.status;
  const mayHaveBody = sample.status >= 200 && sample.status !== 204 && sample.status !== 304;
  fillFields(head, sample, mayHaveBody);
}

export function fillTrailers(trailers: Readonly<Record<string, string>>): HeadView {
  const head = new HeadView();
  for (const name of Object.keys(trailers)) head.add(name, trailers[name] as string);
  return head;
}

export function bodyOf(sample: MessageSample): Buffer {
  return Buffer.concat((sample.body ?? []).map((chunk) => Buffer.from(chunk)));
}

function bodyLength(sample: MessageSample): number {
  return bodyOf(sample).length;
}

/** States the length where it is known: one chunk and no trailers. Otherwise the codec frames by itself. */
function fillFields(head: HeadView, sample: MessageSample, hasBody: boolean): void {
  const headers = sample.headers ?? {};
  for (const name of Object.keys(headers)) head.add(name, headers[name] as string);
  if ((sample.body ?? []).length > 1 || sample.trailers !== undefined) {
    head.chunked = true;
  } else if (hasBody) {
    head.contentLength = bodyLength(sample);
    head.add('content-length', String(head.contentLength));
  }
}
