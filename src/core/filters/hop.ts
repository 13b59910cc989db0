import * as v from 'valibot';
import { headerField } from '../base/header-field.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import { Hop, type Stream } from '../contract/stream.ts';
import { type StreamFilterDefinition, Verdict } from '../contract/stream-filter.ts';
import { shapeHooks } from './hooks.ts';
import { AccessList, addressList } from './ip-access.ts';

const header = 'x-heddle-hop';
const words = { retries: Hop.retries, limits: Hop.limits } as const;
const limiters: ReadonlySet<string> = new Set(['local-rate-limit']);

const config = v.strictObject({
  /** Who is believed: addresses and blocks of peers, "unix", "in-process" (nobody). */
  trusted: addressList,
  /** Tells the next hop what is done here. */
  announces: v.optional(v.boolean(), true),
});
export type HopConfig = v.InferOutput<typeof config>;

/** By bits: the whole header. */
const announcements = [0, 1, 2, 3].map((bits) => {
  const done = Object.entries(words).filter(([, bit]) => (bits & bit) !== 0);
  return headerField(header, done.map(([word]) => word).join(', ') || 'none');
});

/**
 * Two meshes on one path: the first tells in `x-heddle-hop` what it does already ("retries", "limits"), and the second,
 * where it trusts the first, neither retries nor limits by rate again: three tries at each of two hops would be nine at
 * the upstream. The header of a peer that is not trusted is taken off unread. List this filter before those that limit.
 */
export const hop: StreamFilterDefinition<HopConfig> = {
  name: 'hop',
  stage: 'afterRoute',
  config,
  create({ trusted, announces }) {
    const list = new AccessList({ allow: trusted, deny: [] });
    const trusts = (s: Stream): boolean =>
      trusted.length > 0 && list.mayPass(s.peer === null ? 'in-process' : s.peer.address);
    const limiting = new WeakMap<Pipeline, number>();
    return shapeHooks({
      onRequestHead(s) {
        const index = s.req.find(header);
        if (index >= 0) {
          if (trusts(s)) s.hops = bitsOf(s.req.getAll(header).join(','));
          s.req.remove(header);
        }
        if (!announces) return Verdict.continue;
        const bits = s.hops | (s.route?.retry ? Hop.retries : 0) | limitsOf(s.pipeline as Pipeline, limiting);
        if (bits !== 0) s.req.addField(announcements[bits] as (typeof announcements)[number]);
        return Verdict.continue;
      },
    });
  },
};

function bitsOf(text: string): number {
  let bits = 0;
  for (const word of text.split(',')) bits |= words[word.trim() as keyof typeof words] ?? 0;
  return bits;
}

/** Asked of each pipeline once. */
function limitsOf(pipeline: Pipeline, known: WeakMap<Pipeline, number>): number {
  let bit = known.get(pipeline);
  if (bit === undefined) {
    bit = pipeline.filters.all.some(({ name }) => limiters.has(name)) ? Hop.limits : 0;
    known.set(pipeline, bit);
  }
  return bit;
}
