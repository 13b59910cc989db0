import { HeddleError } from '../../core/base/errors.ts';
import { type HessianDialect, hessian2, sofaHessian } from '../codecs/hessian/dialect.ts';
import { hessianProblemText } from '../codecs/hessian/problems.ts';
import { HessianText, locateString } from '../codecs/hessian/read.ts';
import { defaultHessianLimits, HessianSkipper } from '../codecs/hessian/skipper.ts';
import type { RpcProtocol } from './call.ts';
import { loadPeer } from './load-peer.ts';

/** Writes values one after the other. */
export interface HessianEncoder {
  write(value: unknown): unknown;
  get(): Buffer;
}

/** Reads values one after the other; `withType` keeps the class beside each. */
export interface HessianDecoder {
  read(withType?: boolean): unknown;
  readLong(withType?: boolean): unknown;
  readonly byteBuffer: ByteBuffer;
}

interface ByteBuffer {
  position(): number;
  get(at: number): number;
  skip(count: number): void;
  getLong(): { toString(): string };
}

interface HessianModule {
  readonly EncoderV2: new (options: { size: number }) => HessianEncoder;
  readonly DecoderV2: new (bytes: Buffer) => HessianDecoder;
}

/** The libraries give longs beyond 2^53 as strings, which no reader can tell from strings: these are bigints. */
function withExactLongs(Decoder: HessianModule['DecoderV2']): HessianModule['DecoderV2'] {
  return class extends Decoder {
    override readLong(withType?: boolean): unknown {
      const bytes = this.byteBuffer;
      if (withType === true || bytes.get(bytes.position()) !== longTag) return super.readLong(withType);
      bytes.skip(1);
      const value = BigInt(bytes.getLong().toString());
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
  };
}

/** Class of the object at `at`, "" when none is defined there. Hessian 2.0 only: 'C', then the name. */
export function definedClass(bytes: Buffer, at: number): string {
  if (bytes[at] !== 0x43) return '';
  const name = new HessianText();
  return locateString(hessian2, bytes, at + 1, bytes.length, name) < 0 ? '' : name.read(hessian2, bytes);
}

/** Lists, maps and objects within one another: the libraries read them by recursion. */
const limits = { ...defaultHessianLimits, maxDepth: 256, maxReferences: 200_000 };
const firstBytes = 512;
/** A long of eight bytes, in both dialects. */
const longTag = 0x4c;

/** One hessian dialect through the library that speaks it. Loaded on first use. */
export class HessianLibrary {
  readonly dialect: HessianDialect;
  readonly #module: HessianModule;
  readonly #skipper: HessianSkipper;

  private constructor(dialect: HessianDialect, module: HessianModule) {
    this.dialect = dialect;
    this.#module = { EncoderV2: module.EncoderV2, DecoderV2: withExactLongs(module.DecoderV2) };
    this.#skipper = new HessianSkipper(dialect, limits);
  }

  /** @throws HeddleError ERR_PEER_MISSING */
  static load(protocol: RpcProtocol): HessianLibrary {
    if (protocol === 'dubbo') {
      return new HessianLibrary(hessian2, loadPeer('hessian.js', 'hessian of Dubbo') as HessianModule);
    }
    const { v3 } = loadPeer('sofa-hessian-node', 'hessian of Bolt') as {
      v3: { Encoder: HessianModule['EncoderV2']; Decoder: HessianModule['DecoderV2'] };
    };
    return new HessianLibrary(sofaHessian, { EncoderV2: v3.Encoder, DecoderV2: v3.Decoder });
  }

  /** @throws HeddleError ERR_RPC_VALUE */
  encode(write: (encoder: HessianEncoder) => void): Buffer {
    const encoder = new this.#module.EncoderV2({ size: firstBytes });
    try {
      write(encoder);
    } catch (thrown) {
      throw HeddleError.from(thrown, 'ERR_RPC_VALUE');
    }
    return encoder.get();
  }

  /**
   * Bytes from strangers are walked before the library builds anything of them: depth, lengths, references.
   *
   * @throws HeddleError ERR_RPC_VALUE
   */
  decode<Result>(bytes: Buffer, read: (decoder: HessianDecoder) => Result): Result {
    this.#check(bytes);
    try {
      return read(new this.#module.DecoderV2(bytes));
    } catch (thrown) {
      throw HeddleError.from(thrown, 'ERR_RPC_VALUE');
    }
  }

  #check(bytes: Buffer): void {
    this.#skipper.reset();
    let at = 0;
    while (at < bytes.length) {
      at = this.#skipper.skip(bytes, at, bytes.length);
      if (at < 0) throw new HeddleError('ERR_RPC_VALUE', hessianProblemText(at));
    }
  }
}
