/**
 * A filter whose work would hold up the event loop runs in a pool of threads, with bounds of time and memory. A plugin
 * that hangs costs its own verdict: that request fails, or goes on untouched, and everything else is served meanwhile.
 */
import { createMesh, HeddleError, type MeshConfig, pooledFilter } from '../src/index.ts';

const wordCount = pooledFilter<object>({
  name: 'word-count',
  // The keys of the module's own; `pool` beside them holds the bounds.
  config: {
    '~standard': { version: 1, vendor: 'example', validate: (value) => ({ value: value as object }) },
  },
  module: new URL('./pool/word-count.ts', import.meta.url),
  hooks: ['response'],
});

const config = (onFailure: 'refuse' | 'pass'): MeshConfig => ({
  clusters: [{ name: 'texts' }],
  inProcess: { filters: [{ name: 'word-count', config: { pool: { timeoutMs: 3000, onFailure } } }] },
});
const mesh = await createMesh(config('refuse'), { use: [wordCount] });
mesh.handle('texts', (request) => {
  const isPoison = request.url.endsWith('/poison');
  return new Response(isPoison ? 'never ends' : 'warp and weft and warp');
});

const counted = await mesh.fetch('http://texts/loom');
console.log(counted.headers.get('x-words'), await counted.text());

try {
  await mesh.fetch('http://texts/poison');
} catch (thrown) {
  if (!(thrown instanceof HeddleError)) throw thrown;
  console.log(thrown.code);
}

await mesh.reload(config('pass'));
const passed = await mesh.fetch('http://texts/poison');
console.log(passed.headers.get('x-words'), await passed.text());
await mesh.close();
