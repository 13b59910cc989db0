import { HeddleError } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';

/** Values of one name; bytes for names that end in "-bin", text for all others. */
export type MetadataValue = string | Uint8Array;
/** Metadata of a call as a caller writes it. Names are sent in lower case. */
export type MetadataInit = Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>;

/** What the protocol itself writes; also whatever begins with "grpc-" or ":". */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'user-agent',
]);

const isReserved = (name: string): boolean => reserved.has(name) || name.startsWith('grpc-');

/** Metadata that a call brought: of its head, or behind its last message. Names are in lower case. */
export class GrpcMetadata implements Iterable<readonly [string, MetadataValue]> {
  readonly #entries: (readonly [string, MetadataValue])[] = [];

  /** @internal What is the protocol's own is left out but for `grpc-status-details-bin`. */
  static of(head: HeadView): GrpcMetadata {
    const metadata = new GrpcMetadata();
    head.forEach((given, value) => {
      const name = given.toLowerCase();
      if (name !== statusDetails && (isReserved(name) || name.startsWith(':'))) return;
      if (!name.endsWith('-bin')) metadata.#entries.push([name, value]);
      // RFC 9110 §5.3: values of one name may come joined; base64 has no comma.
      else for (const each of value.split(',')) metadata.#entries.push([name, Buffer.from(each, 'base64')]);
    });
    return metadata;
  }

  /** The first text of that name. @param name in lower case */
  get(name: string): string | null {
    for (const [each, value] of this.#entries) if (each === name && typeof value === 'string') return value;
    return null;
  }

  /** The first bytes of that name. @param name in lower case, ends in "-bin" */
  getBinary(name: string): Uint8Array | null {
    for (const [each, value] of this.#entries) if (each === name && typeof value !== 'string') return value;
    return null;
  }

  getAll(name: string): MetadataValue[] {
    return this.#entries.filter(([each]) => each === name).map(([, value]) => value);
  }

  get size(): number {
    return this.#entries.length;
  }

  [Symbol.iterator](): Iterator<readonly [string, MetadataValue]> {
    return this.#entries.values();
  }

  /** Several values of a name are a list. */
  toObject(): Record<string, MetadataValue | MetadataValue[]> {
    const all: Record<string, MetadataValue | MetadataValue[]> = Object.create(null) as never;
    for (const [name, value] of this.#entries) {
      const before = all[name];
      if (before === undefined) all[name] = value;
      else if (Array.isArray(before)) before.push(value);
      else all[name] = [before, value];
    }
    return all;
  }
}

/** google.rpc.Status with what it says beyond code and message. */
export const statusDetails = 'grpc-status-details-bin';

/** @throws HeddleError ERR_HEADER_INVALID, ERR_REQUEST_INVALID */
export function writeMetadata(head: HeadView, metadata: MetadataInit): void {
  for (const given of Object.keys(metadata)) {
    const name = given.toLowerCase();
    if (isReserved(name)) {
      throw new HeddleError(
        'ERR_REQUEST_INVALID',
        `metadata ${JSON.stringify(given)} belongs to the protocol`,
      );
    }
    const values = metadata[given] as MetadataValue | readonly MetadataValue[];
    for (const value of Array.isArray(values) ? (values as MetadataValue[]) : [values as MetadataValue]) {
      head.add(name, textOf(name, value));
    }
  }
}

function textOf(name: string, value: MetadataValue): string {
  if (name.endsWith('-bin') !== (typeof value !== 'string')) {
    const wants = name.endsWith('-bin') ? 'bytes' : 'a text; names of bytes end in "-bin"';
    throw new HeddleError('ERR_REQUEST_INVALID', `metadata ${JSON.stringify(name)} takes ${wants}`);
  }
  if (typeof value === 'string') return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64').replace(/=+$/, '');
}
