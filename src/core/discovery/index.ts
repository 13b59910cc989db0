export { dnsRegistry } from './dns-registry.ts';
export { fileRegistry } from './file-registry.ts';
export { staticRegistry } from './static-registry.ts';
