import type { Pool } from '../../core/contract/pool.ts';
import { BoundPool } from './bound-pool.ts';
import { MultiplexPool } from './multiplex-pool.ts';
import { PingPongPool } from './ping-pong-pool.ts';
import type { PoolSetup } from './setup.ts';

export type { PoolSetup } from './setup.ts';

/** The pool of one host, in the mode that its codec asks for. Opens `preconnect` connections at once. */
export function createPool(setup: PoolSetup): Pool {
  switch (setup.codec.poolMode) {
    case 'pingPong':
      return new PingPongPool(setup);
    case 'multiplex':
      return new MultiplexPool(setup);
    case 'bound':
      return new BoundPool(setup);
  }
}
