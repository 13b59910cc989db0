/** Keys that only a native configuration has at its top, and those that only MOSN's has. */
const native = ['listeners', 'clusters', 'inprocess', 'buffers'];
const mosn = ['servers', 'cluster_manager'];

/** Whether a configuration looks like MOSN's. An empty one is native. */
export function looksLikeMosn(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = new Set(Object.keys(value).map((key) => key.toLowerCase()));
  return mosn.some((key) => keys.has(key)) && !native.some((key) => keys.has(key));
}
