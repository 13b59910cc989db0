/** Runs in a thread of the pool, without the mesh. See ../13-pooled-filter.ts. */
import type { PooledFilterModule } from '../../src/index.ts';

const wordCount: PooledFilterModule = {
  response({ body }) {
    const text = Buffer.from(body).toString();
    // What a bad pattern or a bug would do.
    if (text === 'never ends') for (;;);
    const counts: Record<string, number> = {};
    for (const word of text.split(/\s+/)) counts[word] = (counts[word] ?? 0) + 1;
    return { headers: { 'x-words': String(Object.keys(counts).length) }, body: JSON.stringify(counts) };
  },
};

export default wordCount;
