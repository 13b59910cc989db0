import * as v from 'valibot';
import type { HeadView } from '../../../../src/core/base/head-view.ts';
import { HeadView as Head } from '../../../../src/core/base/head-view.ts';
import type { ServerLimits } from '../../../../src/core/contract/codec.ts';
import { Http2Client } from '../../../../src/transport/codecs/http2/client.ts';
import { Http2Config } from '../../../../src/transport/codecs/http2/config.ts';
import { HeadAssembly } from '../../../../src/transport/codecs/http2/head-assembly.ts';
import { HpackDecoder } from '../../../../src/transport/codecs/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../../src/transport/codecs/http2/hpack/encoder.ts';
import { Http2Server } from '../../../../src/transport/codecs/http2/server.ts';
import { createContext, FakeClientOwner, FakeServerOwner, FakeSink, FakeWire } from '../http1/harness.ts';

export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const F = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
} as const;

/** A frame as a peer writes it. */
export function frame(type: number, flags: number, id: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload.replaceAll(' ', ''), 'hex') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => void bytes.writeUInt32BE(value, i * 4));
  return bytes;
};

/** A SETTINGS payload of id, value pairs. */
export function settings(...pairs: (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    bytes.writeUInt16BE(id, i * 6);
    bytes.writeUInt32BE(value, i * 6 + 2);
  });
  return bytes;
}

export const opening: Buffer = Buffer.concat([preface, frame(F.settings, 0, 0)]);

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** What this side wrote, as frames; a client's preface is passed over. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = bytes.subarray(0, preface.length).equals(preface) ? preface.length : 0;
  while (at + 9 <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

export type Field = readonly [string, string];

/** Literals without indexing: bytes that mean the same on every connection. */
export function block(...fields: readonly Field[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    const length =
      bytes.length < 127
        ? [bytes.length]
        : [127, ((bytes.length - 127) & 127) | 128, (bytes.length - 127) >> 7];
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.of(0), text(name), text(value)])));
}

export const get = (...more: readonly Field[]): Buffer =>
  block([':method', 'GET'], [':scheme', 'http'], [':path', '/a'], [':authority', 'one.test'], ...more);
export const post = (...more: readonly Field[]): Buffer =>
  block([':method', 'POST'], [':scheme', 'http'], [':path', '/a'], [':authority', 'one.test'], ...more);

/** Reads header blocks of one direction of a connection. */
export class BlockReader {
  readonly decoder: HpackDecoder;
  readonly assembly = new HeadAssembly();

  constructor(tableBytes = 4096) {
    this.decoder = new HpackDecoder(tableBytes);
    this.decoder.table.resize(tableBytes);
  }

  /** The fields in order, pseudo-headers first as far as they are kept; null: not HPACK. */
  read(bytes: Buffer): HeadView | null {
    const head = new Head();
    this.assembly.begin(
      head,
      Buffer.alloc(65_536),
      { maxHeaderBytes: 1 << 20, maxHeaderCount: 10_000 },
      false,
    );
    if (!this.decoder.decode(bytes, 0, bytes.length, this.assembly)) return null;
    this.assembly.finish();
    return head;
  }

  /** All lines as they stand, pseudo-headers included; cookies apart. */
  lines(bytes: Buffer): Field[] | null {
    const head = this.read(bytes);
    if (head === null) return null;
    const { buf } = head;
    const fields: Field[] = [];
    for (const line of buf.toString('latin1', 0, head.end - 2).split('\r\n')) {
      if (line === '') continue;
      const colon = line.indexOf(': ', 1);
      fields.push([line.slice(0, colon), line.slice(colon + 2)]);
    }
    return fields;
  }
}

/** Writes header blocks of one direction. */
export class BlockWriter {
  readonly encoder: HpackEncoder;

  constructor(huffman = false) {
    this.encoder = new HpackEncoder(huffman);
  }

  write(fields: readonly Field[]): Buffer {
    const target = Buffer.alloc(65_536);
    let at = this.encoder.begin(target, 0);
    for (const [name, value] of fields) {
      const n = Buffer.from(name, 'latin1');
      const text = Buffer.from(value, 'latin1');
      at = this.encoder.field(target, at, n, 0, n.length, text, 0, text.length, false);
    }
    return target.subarray(0, at);
  }
}

export interface Options {
  readonly limits?: Partial<ServerLimits>;
  readonly config?: v.InferInput<typeof Http2Config>;
  readonly ownsReads?: boolean;
}

/** A server on a wire driven by hand. `send` flushes what the bytes brought about. */
export function h2Server(options: Options = {}) {
  const sink = new FakeSink();
  const { context, clock, flush } = createContext(sink);
  const wire = new FakeWire();
  wire.ownsReads = options.ownsReads ?? true;
  const owner = new FakeServerOwner(options.limits ?? {});
  const codec = new Http2Server(wire, context, owner, v.parse(Http2Config, options.config ?? {}));
  const send = (...pieces: Buffer[]): void => {
    for (const piece of pieces) wire.send(piece);
    for (let i = 0; i < 3; i++) flush();
  };
  const take = (): Frame[] => {
    const all = framesOf(Buffer.concat(wire.writes));
    wire.writes.length = 0;
    return all;
  };
  return { sink, context, clock, flush, wire, owner, codec, send, take };
}

/** A client on a wire driven by hand; `ask` begins a stream and sends its head. */
export function h2Client(options: Options = {}) {
  const sink = new FakeSink();
  const { context, clock, flush } = createContext(sink);
  const wire = new FakeWire();
  wire.ownsReads = options.ownsReads ?? false;
  const owner = new FakeClientOwner();
  const codec = new Http2Client(wire, context, owner, v.parse(Http2Config, options.config ?? {}));
  const send = (...pieces: Buffer[]): void => {
    for (const piece of pieces) wire.send(piece);
    for (let i = 0; i < 3; i++) flush();
  };
  const take = (): Frame[] => {
    for (let i = 0; i < 3; i++) flush();
    const all = framesOf(Buffer.concat(wire.writes));
    wire.writes.length = 0;
    return all;
  };
  const ask = (method = 'GET', end = true) => {
    const s = sink.acquire();
    codec.bind(s);
    s.req.methodText = method;
    s.req.path = '/a';
    s.req.authority = 'one.test';
    codec.sendHead(s, s.req, null, 0, 0, end);
    return s;
  };
  return { sink, context, clock, flush, wire, owner, codec, send, take, ask };
}
