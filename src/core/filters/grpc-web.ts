import * as v from 'valibot';
import type { HeadView } from '../base/head-view.ts';
import { headerField } from '../base/header-field.ts';
import type { Stream } from '../contract/stream.ts';
import {
  type FilterContext,
  type FilterResult,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../contract/stream-filter.ts';
import { countOne, filterCounter } from './count.ts';
import { decodeSegments, encodeChunk } from './grpc-web-text.ts';

const Config = v.strictObject({
  /** Tells browsers that scripts may read `grpc-status` and its like where a request has an Origin and no other filter says what they may read. */
  exposeHeaders: v.optional(v.boolean(), true),
});
export type GrpcWebConfig = v.InferOutput<typeof Config>;

/** "application/grpc-web", "-text" for base64, "+proto" and its like. */
const mediaType = /^application\/grpc-web(-text)?(\+[\w.-]+)?\s*(?:;.*)?$/i;
const trailersFlag = 0x80;
const te = headerField('te', 'trailers');
const exposed = headerField(
  'access-control-expose-headers',
  'grpc-status, grpc-message, grpc-status-details-bin',
);

/** One bridged call. */
interface Bridged {
  readonly isText: boolean;
  readonly suffix: string;
  /** Characters that are no whole group of base64 yet. */
  rest: string;
  /** The answer is none of gRPC: it passes as it is. */
  isForeign: boolean;
}

/**
 * gRPC-Web (grpc/grpc doc/PROTOCOL-WEB.md) for upstreams of gRPC: trailers become the last frame of the body, base64
 * both ways where the client asks for text.
 *
 *   browser --application/grpc-web[-text]--> filter --application/grpc--> upstream
 *           <--messages, 0x80 frame---------        <--messages, trailers--
 */
class GrpcWeb implements StreamFilter {
  readonly #config: GrpcWebConfig;
  readonly #context: FilterContext;
  readonly #calls: number;
  readonly #refused: number;

  constructor(config: GrpcWebConfig, context: FilterContext) {
    this.#config = config;
    this.#context = context;
    this.#calls = filterCounter(context, 'grpc-web', 'calls');
    this.#refused = filterCounter(context, 'grpc-web', 'refused');
  }

  onRequestHead(s: Stream): FilterResult {
    const head = s.req;
    const found = mediaType.exec(head.get('content-type') ?? '');
    if (found === null) return Verdict.continue;
    countOne(this.#context.metrics, this.#calls);
    const isText = found[1] !== undefined;
    const suffix = found[2] ?? '';
    s.attributes[this.#context.slot] = { isText, suffix, rest: '', isForeign: false } satisfies Bridged;
    head.set('content-type', `application/grpc${suffix}`);
    head.remove('x-grpc-web');
    head.remove('te');
    head.addField(te);
    if (isText) dropLength(head);
    s.becomeGrpc();
    return Verdict.continue;
  }

  onRequestBody(s: Stream, buf: Buffer, a: number, b: number, end: boolean): FilterResult {
    const bridged = this.#of(s);
    if (bridged === null || !bridged.isText) return Verdict.continue;
    const decoded = decodeSegments(bridged.rest + buf.toString('latin1', a, b), end);
    if (decoded === null) {
      countOne(this.#context.metrics, this.#refused);
      return s.reply(400, 'the body is no base64', {});
    }
    bridged.rest = decoded.rest;
    s.replaceBody(decoded.bytes);
    return Verdict.continue;
  }

  onResponseHead(s: Stream): FilterResult {
    const bridged = this.#of(s);
    if (bridged === null) return Verdict.continue;
    const head = s.res;
    bridged.isForeign = !/^application\/grpc\b/i.test(head.get('content-type') ?? '');
    if (bridged.isForeign) return Verdict.continue;
    const text = bridged.isText ? '-text' : '';
    head.set('content-type', `application/grpc-web${text}${bridged.suffix || '+proto'}`);
    // An answer that is nothing but trailers has them in its head, where clients look as well.
    if (!s.responseDone) dropLength(head);
    if (this.#config.exposeHeaders && s.req.has('origin') && !head.has(exposed.name)) head.addField(exposed);
    return Verdict.continue;
  }

  onResponseBody(s: Stream, buf: Buffer, a: number, b: number): FilterResult {
    const bridged = this.#of(s);
    if (bridged?.isText === true && !bridged.isForeign && b > a) {
      s.replaceBody(encodeChunk(buf.subarray(a, b)));
    }
    return Verdict.continue;
  }

  onResponseTrailers(s: Stream): FilterResult {
    const bridged = this.#of(s);
    if (bridged === null || bridged.isForeign || s.responseTrailers === null) return Verdict.continue;
    const frame = trailersFrame(s.responseTrailers);
    s.replaceBody(bridged.isText ? encodeChunk(frame) : frame);
    return Verdict.continue;
  }

  passesBody(s: Stream): boolean {
    return this.#of(s)?.isText !== true;
  }

  #of(s: Stream): Bridged | null {
    return (s.attributes[this.#context.slot] as Bridged | undefined) ?? null;
  }
}

/** What follows has a length that nobody knows yet. */
function dropLength(head: HeadView): void {
  head.remove('content-length');
  head.contentLength = -1;
  head.chunked = true;
}

function trailersFrame(trailers: HeadView): Buffer {
  let text = '';
  trailers.forEach((name, value) => {
    text += `${name.toLowerCase()}: ${value}\r\n`;
  });
  const frame = Buffer.allocUnsafe(5 + text.length);
  frame[0] = trailersFlag;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, 'latin1');
  return frame;
}

export const grpcWeb: StreamFilterDefinition<GrpcWebConfig> = {
  name: 'grpc-web',
  stage: 'beforeRoute',
  config: Config,
  create: (config, context) => new GrpcWeb(config, context),
};
