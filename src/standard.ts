import { leastRequest, random, roundRobin, weighted } from './core/cluster/balancers/index.ts';
import type { ExtensionSet } from './core/config/extensions.ts';
import { dnsRegistry, fileRegistry, staticRegistry } from './core/discovery/index.ts';
import { concurrency } from './core/limit/concurrency.ts';
import { slidingWindow } from './core/limit/sliding-window.ts';
import { localTokenBucket } from './core/limit/token-bucket.ts';
import { http1 } from './transport/codecs/http1/index.ts';

/** Every built-in extension, one line each. A user's own come through `createMesh(config, { use })`. */
export const standard: ExtensionSet = {
  codecs: [http1],
  filters: [],
  balancers: [roundRobin, weighted, random, leastRequest],
  registries: [staticRegistry, fileRegistry, dnsRegistry],
  limiters: [localTokenBucket, concurrency, slidingWindow],
};
