import type { ConnectionPermits } from '../../core/contract/cluster.ts';
import type { Codec, CodecContext } from '../../core/contract/codec.ts';
import type { PoolOptions } from '../../core/contract/pool.ts';
import type { Dialer } from '../../core/contract/wire.ts';

/** What a pool is made of. */
export interface PoolSetup {
  readonly codec: Codec;
  readonly codecConfig: unknown;
  readonly dial: Dialer;
  readonly context: CodecContext;
  readonly options: PoolOptions;
  readonly permits: ConnectionPermits;
  /** "10.0.0.1:8080", "[::1]:8080" or "unix:/path". */
  readonly address: string;
}
