export { dnsRegistry } from './dns-registry.ts';
export { fileRegistry } from './file-registry.ts';
export { LastGoodRegistry } from './last-good-registry.ts';
export { ShardedRegistry } from './sharded-registry.ts';
export { staticRegistry } from './static-registry.ts';
