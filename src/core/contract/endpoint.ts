import type { Endpoint } from './cluster.ts';

/** Whether two facts about one address are the same, so that nothing needs an update. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.weight === b.weight &&
    a.zone === b.zone &&
    a.priority === b.priority &&
    a.hostname === b.hostname &&
    sameMetadata(a.metadata, b.metadata)
  );
}

/** Equal keys and values in any order. */
function sameMetadata(a: Endpoint['metadata'], b: Endpoint['metadata']): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (a[key] !== b[key] || !Object.hasOwn(b, key)) return false;
  return true;
}
