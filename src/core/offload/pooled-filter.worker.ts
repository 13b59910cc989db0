import type { FilterJob, PooledAnswer, PooledFilterModule } from './filter-job.ts';

/** Runs one hook of a pooled filter. Modules stay loaded for as long as the thread lives. */
export default async function runFilter(job: FilterJob): Promise<PooledAnswer | null> {
  const { default: filter } = (await import(job.module)) as { default?: PooledFilterModule };
  const hook = filter?.[job.hook];
  if (hook === undefined) throw new Error(`${job.module} has no ${job.hook} in its default export`);
  const answer = (await hook.call(filter, job.message, job.config)) ?? null;
  if (answer === null) return null;
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  if (body === undefined) return answer;
  if (!(body instanceof Uint8Array)) throw new Error(`the body is no text and no bytes: ${typeof body}`);
  if (body.length > job.maxBodyBytes) {
    throw new Error(`the body has ${body.length} bytes, ${job.maxBodyBytes} are allowed`);
  }
  // A view of something larger would cross as a whole.
  const isWhole = body.byteOffset === 0 && body.byteLength === body.buffer.byteLength;
  return { ...answer, body: isWhole ? body : Uint8Array.from(body) };
}
