import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A frame made by npm's sofa-bolt-node 2.0.1, and what an independent parser reads in it. */
export interface BoltVector {
  readonly name: string;
  readonly kind: string;
  readonly id: number;
  readonly decoded: {
    readonly proto: number;
    readonly type: number;
    readonly cmdCode: number;
    readonly requestId: number;
    readonly codec: number;
    readonly timeout?: number;
    readonly status?: number;
    readonly className: string;
    readonly headerMap: Readonly<Record<string, string | null>> | null;
    readonly contentHex: string;
  };
  readonly hex: string;
}

export interface HeaderMapVector {
  readonly map: Readonly<Record<string, string | null>>;
  readonly hex: string;
  readonly decodesTo: Readonly<Record<string, string | null>> | null;
}

const file = JSON.parse(
  readFileSync(new URL('../../../fixtures/rpc/bolt.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly BoltVector[]; readonly headerMaps: readonly HeaderMapVector[] };

export const vectors: readonly BoltVector[] = file.cases;
export const headerMaps: readonly HeaderMapVector[] = file.headerMaps;

export const bytesOf = (vector: BoltVector): Buffer => Buffer.from(vector.hex, 'hex');

export interface FrameFacts {
  readonly proto?: 1 | 2;
  readonly ver1?: number;
  readonly crc?: boolean;
  readonly type?: number;
  readonly command?: number;
  readonly id?: number;
  readonly codec?: number;
  /** Timeout of a request, status of a response. */
  readonly word?: number;
  readonly className?: string;
  /** A map, or the bytes that stand in its place. */
  readonly headers?: Readonly<Record<string, string | null>> | Buffer;
  readonly content?: string | Buffer;
}

/** Writes a frame by the book, independently of the code under test. */
export function frame(facts: FrameFacts): Buffer {
  const { proto = 1, type = 1, headers = {}, content = '', className = '' } = facts;
  const map = Buffer.isBuffer(headers) ? headers : headerMap(headers);
  const body = Buffer.from(content);
  const name = Buffer.from(className);
  const word = Buffer.alloc(type === 0 ? 2 : 4);
  if (type === 0) word.writeUInt16BE(facts.word ?? 0);
  else word.writeInt32BE(facts.word ?? -1);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt16BE(name.length, 0);
  lengths.writeUInt16BE(map.length, 2);
  lengths.writeUInt32BE(body.length, 4);
  const id = Buffer.alloc(4);
  id.writeUInt32BE(facts.id ?? 1);
  const whole = Buffer.concat([
    Buffer.of(proto),
    proto === 2 ? Buffer.of(facts.ver1 ?? 1) : Buffer.alloc(0),
    Buffer.of(type, 0, facts.command ?? (type === 0 ? 2 : 1), 1),
    id,
    Buffer.of(facts.codec ?? 1),
    proto === 2 ? Buffer.of(facts.crc ? 1 : 0) : Buffer.alloc(0),
    word,
    lengths,
    name,
    map,
    body,
  ]);
  if (!facts.crc) return whole;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, sum]);
}

export function headerMap(headers: Readonly<Record<string, string | null>>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of Object.entries(headers)) {
    for (const text of [key, value]) {
      const bytes = Buffer.from(text ?? '');
      const length = Buffer.alloc(4);
      length.writeInt32BE(text === null ? -1 : bytes.length);
      parts.push(length, bytes);
    }
  }
  return Buffer.concat(parts);
}
