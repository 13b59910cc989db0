/** What the local HTTP API says and asks. */
export type { PublishPlace } from './local-entry.ts';
export { LocalRegistry } from './local-registry.ts';
export { memoryRegistry } from './memory-registry.ts';
export { parsePublish, parseSubscribe, parseUnpublish, parseUnsubscribe } from './request.ts';
