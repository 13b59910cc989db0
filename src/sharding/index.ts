/** Pure algorithms that share servers out among clients and keys among servers. */

export { BitIntersection, Bitmap, lowestBit, popCount } from './bitmap.ts';
export { hashBytes, hashText, mix32, pairHash, unit } from './hash.ts';
export {
  HashRing,
  type KetamaOptions,
  ketamaRing,
  ketamaSize,
  ketamaSteps,
  pointRing,
  ringPoint,
} from './hash-ring.ts';
export {
  largeMaglevSize,
  MaglevTable,
  maglevSize,
  maglevSizeFor,
  maglevSteps,
  maglevTable,
} from './maglev.ts';
export { lowest, rendezvousFirst, rendezvousScore, rendezvousScores } from './rendezvous.ts';
export type { Scheme, SchemeName, SchemeOptions, ShardServer } from './scheme.ts';
export { createScheme } from './scheme.ts';
export { ServiceListShard, type ShardDelta, type ShardOptions, type ShardSize } from './service-list.ts';
export { circleDistance, clientPosition, vanDerCorput } from './slots.ts';
export { lastOf, sortSteps } from './steps.ts';
export { Subset, SubsetIndex } from './subset-index.ts';
export { Xxh64 } from './xxh64.ts';
