/**
 * A stream filter of your own: checks a header, is configured per route, changes a body, and waits for something.
 * docs/write-a-filter.md explains each part.
 */
import * as v from 'valibot';
import { createMesh, type StreamFilterDefinition, Verdict } from '../src/index.ts';

const apiKeyConfig = v.strictObject({ keys: v.array(v.string()) });
type ApiKeyConfig = v.InferOutput<typeof apiKeyConfig>;

/** Lets requests pass whose `x-api-key` is listed. */
const apiKey: StreamFilterDefinition<ApiKeyConfig> = {
  name: 'api-key',
  stage: 'afterRoute',
  config: apiKeyConfig,
  isSecurity: true,
  create(own, { slot, metrics, owner }) {
    const refused = metrics.counter('example_api_key_refused_total', { listener: owner });
    return {
      onRequestHead(s) {
        const forRoute = s.route?.filterConfigs[slot] as ApiKeyConfig | false | undefined;
        if (forRoute === false) return Verdict.continue;
        const { keys } = forRoute ?? own;
        if (keys.includes(s.req.get('x-api-key') ?? '')) return Verdict.continue;
        metrics.values[refused] = (metrics.values[refused] ?? 0) + 1;
        return s.reply(401, 'a key is needed\n', { 'content-type': 'text/plain' });
      },
    };
  },
};

/** Upper-cases answers: a body filter that replaces what it is shown. */
const shout: StreamFilterDefinition<Record<string, never>> = {
  name: 'shout',
  stage: 'afterRoute',
  config: v.strictObject({}),
  create: () => ({
    onResponseBody(s, buf, a, b) {
      s.replaceBody(Buffer.from(buf.toString('latin1', a, b).toUpperCase(), 'latin1'));
      return Verdict.continue;
    },
  }),
};

/** Holds each request for a moment: stops the stream and resumes it, unless it is over by then. */
const slowDown: StreamFilterDefinition<{ delayMs: number }> = {
  name: 'slow-down',
  stage: 'afterRoute',
  config: v.strictObject({ delayMs: v.number() }),
  create: ({ delayMs }, { clock, slot }) => ({
    onRequestHead(s) {
      const { gen } = s;
      s.attributes[slot] = clock.setTimer(delayMs, () => s.core.resume(s, gen));
      return Verdict.stop;
    },
    onStreamEnd(s) {
      (s.attributes[slot] as { cancel(): void } | undefined)?.cancel();
    },
  }),
};

const mesh = await createMesh(
  {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        filters: [
          { name: 'api-key', config: { keys: ['secret'] } },
          { name: 'slow-down', config: { delayMs: 20 } },
          'shout',
        ],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { prefix: '/public' }, cluster: 'app', filterConfigs: { 'api-key': false } },
              { match: { prefix: '/' }, cluster: 'app' },
            ],
          },
        ],
      },
    ],
    clusters: [{ name: 'app' }],
  },
  { use: [apiKey, shout, slowDown] },
);
mesh.handle('app', (request) => new Response(`hello from ${new URL(request.url).pathname}`));

const base = `http://${mesh.listeners.addresses['in']}`;
for (const [path, key] of [
  ['/private', ''],
  ['/private', 'secret'],
  ['/public', ''],
] as const) {
  const response = await fetch(base + path, { headers: { 'x-api-key': key } });
  console.log(path, JSON.stringify(key), response.status, (await response.text()).trim());
}
await mesh.close();
