import * as v from 'valibot';
import type { HeadView } from '../base/head-view.ts';
import { type HeaderField, headerField } from '../base/header-field.ts';
import { writeLatin1 } from '../base/latin1.ts';
import type { Random } from '../base/random.ts';
import { token } from '../config/schema/values.ts';
import type { Stream } from '../contract/stream.ts';
import {
  type FilterContext,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../contract/stream-filter.ts';
import { countOne, filterCounter } from './count.ts';
import { shapeHooks } from './hooks.ts';

const config = v.strictObject({
  /** Header that carries the id (x-request-id). */
  header: v.optional(token, 'x-request-id'),
  /** Keeps an id that came with the request, so that one id runs through a chain of services (true). */
  keepIncoming: v.optional(v.boolean(), true),
  /** Sends the id back with the response (false). */
  addToResponse: v.optional(v.boolean(), false),
});
export type RequestIdConfig = v.InferOutput<typeof config>;

const uuidLength = 36;
const maxIdLength = 128;
const digits = Buffer.from('0123456789abcdef', 'latin1');
/**
 * Gives every request an id, shaped as a UUID of version 4 and made of the mesh's own random numbers (60 ns against
 * 2.6 us for random bytes of `node:crypto`): unique enough to find a request, not a secret.
 * An id that came along is kept unless it is empty, longer than 128 characters or holds anything but visible ASCII
 * without quotes, commas and backslashes.
 *
 * @example
 * filters: [{ name: request-id, config: { keepIncoming: false, addToResponse: true } }]
 */
export const requestId: StreamFilterDefinition<RequestIdConfig> = {
  name: 'request-id',
  stage: 'beforeRoute',
  config,
  create: (own, context) => new RequestIdFilter(own, context).hooks(own.addToResponse),
};

class RequestIdFilter {
  readonly #name: string;
  readonly #field: HeaderField;
  readonly #keepIncoming: boolean;
  readonly #random: Random;
  readonly #context: FilterContext;
  readonly #kept: number;
  readonly #made: number;

  constructor(own: RequestIdConfig, context: FilterContext) {
    this.#name = own.header.toLowerCase();
    this.#field = headerField(own.header, '');
    this.#keepIncoming = own.keepIncoming;
    this.#random = context.random;
    this.#context = context;
    this.#kept = filterCounter(context, 'request-id', 'kept');
    this.#made = filterCounter(context, 'request-id', 'made');
  }

  hooks(addToResponse: boolean): StreamFilter {
    const onRequestHead = (s: Stream): Verdict => this.#onRequestHead(s);
    if (!addToResponse) return shapeHooks({ onRequestHead });
    return shapeHooks({ onRequestHead, onResponseHead: (s) => this.#onResponseHead(s) });
  }

  #onRequestHead(s: Stream): Verdict {
    const head = s.req;
    const index = head.find(this.#name);
    if (index >= 0) {
      if (this.#keepIncoming && isSound(head, index)) {
        s.requestIdField = index;
        countOne(this.#context.metrics, this.#kept);
        return Verdict.continue;
      }
      head.remove(this.#name);
    }
    const at = head.addRaw(this.#field, uuidLength);
    writeUuid(head.extra, at, this.#random);
    s.requestIdField = head.count + head.extraCount - 1;
    countOne(this.#context.metrics, this.#made);
    return Verdict.continue;
  }

  #onResponseHead(s: Stream): Verdict {
    const id = s.requestId;
    s.res.remove(this.#name);
    const at = s.res.addRaw(this.#field, id.length);
    writeLatin1(s.res.extra, id, at);
    return Verdict.continue;
  }
}

function isSound(head: HeadView, index: number): boolean {
  const inWire = index < head.count;
  const fields = inWire ? head.fields : head.extraFields;
  const at = (inWire ? index : index - head.count) * 4;
  const buf = inWire ? head.buf : head.extra;
  const start = fields[at + 2] as number;
  const end = fields[at + 3] as number;
  if (end === start || end - start > maxIdLength) return false;
  for (let i = start; i < end; i++) {
    const byte = buf[i] as number;
    if (byte <= 32 || byte > 126 || byte === 34 || byte === 44 || byte === 92) return false;
  }
  return true;
}

/** Unrolled by groups of four digits: 35 ns against 60 with a table of places. */
function writeUuid(buf: Buffer, at: number, random: Random): void {
  const first = random.int32();
  const second = random.int32();
  const third = random.int32();
  const fourth = random.int32();
  writeHex(buf, at, first);
  writeHex(buf, at + 4, first >>> 16);
  writeHex(buf, at + 9, second);
  // Version 4, and the variant 8 to b.
  writeHex(buf, at + 14, ((second >>> 16) & 0x0fff) | 0x4000);
  writeHex(buf, at + 19, (third & 0x3fff) | 0x8000);
  writeHex(buf, at + 24, third >>> 16);
  writeHex(buf, at + 28, fourth);
  writeHex(buf, at + 32, fourth >>> 16);
  buf[at + 8] = buf[at + 13] = buf[at + 18] = buf[at + 23] = 45;
}

/** The lowest 16 bits as four digits. */
function writeHex(buf: Buffer, at: number, bits: number): void {
  buf[at] = digits[(bits >> 12) & 15] as number;
  buf[at + 1] = digits[(bits >> 8) & 15] as number;
  buf[at + 2] = digits[(bits >> 4) & 15] as number;
  buf[at + 3] = digits[bits & 15] as number;
}
