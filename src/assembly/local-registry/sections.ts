import { HeddleError } from '../../core/base/errors.ts';
import type { AdminAnswer, AdminSection } from '../../core/contract/state.ts';
import {
  type LocalRegistry,
  parsePublish,
  parseSubscribe,
  parseUnpublish,
  parseUnsubscribe,
} from '../../core/discovery/local/index.ts';

type Write = (body: string, signal: AbortSignal | null) => AdminAnswer | Promise<AdminAnswer>;

/** `/v1/registry/*`: JSON in, JSON out. */
export function localRegistrySections(local: LocalRegistry): AdminSection[] {
  const write = (name: string, summary: string, run: Write): AdminSection => ({
    path: `v1/registry/${name}`,
    summary,
    write: async (_query, body, signal = null) => {
      try {
        return await run(body, signal);
      } catch (thrown) {
        if (!(thrown instanceof HeddleError)) throw thrown;
        const { code, message } = thrown;
        return { status: code === 'ERR_REGISTRY_FULL' ? 429 : 400, body: { error: { code, message } } };
      }
    },
  });
  return [
    write('publish', 'POST: an address of a service, until it is unpublished', async (body) => {
      const answer = await local.publish(parsePublish(body));
      // Every registry will have it, but one does not yet.
      const isPending = answer.registries.some(({ state }) => state === 'pending');
      return { status: isPending ? 202 : 200, body: answer };
    }),
    write('unpublish', 'POST: takes an address back', async (body) => ({
      body: await local.unpublish(parseUnpublish(body)),
    })),
    write('subscribe', 'POST: the addresses of a service, or the next other list', async (body, signal) => ({
      body: await local.subscribe(parseSubscribe(body), signal),
    })),
    write('unsubscribe', 'POST: the list is no longer kept at hand', async (body) => ({
      body: await local.unsubscribe(parseUnsubscribe(body).service),
    })),
    {
      path: 'v1/registry/list',
      summary: 'what was published and asked for here; ?service=name',
      read: (query) => ({ body: local.list(query.get('service')) }),
    },
  ];
}
