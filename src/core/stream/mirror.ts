import { messageOf } from '../base/errors.ts';
import { type MirrorFeed, PolicyState } from '../contract/policy-state.ts';
import type { MirrorPolicy } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { keptBytes } from './kept-bytes.ts';
import { MirrorTarget } from './mirror-target.ts';
import type { StreamProxy } from './proxy.ts';

/** A try begins, on a route with mirrors. The first draws which of them get the request. */
export function beginMirrors(p: StreamProxy, s: Stream, policies: readonly MirrorPolicy[]): void {
  if (s.tries > 1) {
    s.policy?.mirror?.restart();
    return;
  }
  if (s.req.upgrade !== '') return;
  const targets: MirrorTarget[] = [];
  for (const policy of policies) {
    if (p.context.random.next() * 100 < policy.percent) targets.push(p.mirrorTarget(policy));
  }
  if (targets.length === 0) return;
  s.policy ??= new PolicyState();
  s.policy.mirror = new RequestCopy(p, s, targets);
}

/** The targets of a mesh's mirrors by policy: their counts live as long as their routes. */
export class MirrorTargets {
  readonly #targets = new WeakMap<MirrorPolicy, MirrorTarget>();

  of(policy: MirrorPolicy, proxy: StreamProxy): MirrorTarget {
    let target = this.#targets.get(policy);
    if (target === undefined) {
      target = new MirrorTarget(policy, proxy);
      this.#targets.set(policy, target);
    }
    return target;
  }
}

/**
 * Collects a request as it goes upstream and sends its copies in the moment in which it is complete: what comes after
 * body filters, once, however many tries there are. The main stream never waits for it.
 */
class RequestCopy implements MirrorFeed {
  readonly #proxy: StreamProxy;
  readonly #stream: Stream;
  #targets: readonly MirrorTarget[];
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  /** Bytes that this try has sent. */
  #triedBytes = 0;

  constructor(proxy: StreamProxy, stream: Stream, targets: readonly MirrorTarget[]) {
    this.#proxy = proxy;
    this.#stream = stream;
    this.#targets = targets;
  }

  restart(): void {
    this.#triedBytes = 0;
  }

  feed(buf: Buffer | null, a: number, b: number, isOwned: boolean, end: boolean): void {
    if (this.#targets.length === 0) return;
    if (buf !== null && b > a) this.#keep(buf, a, b, isOwned);
    if (end) this.#send();
  }

  #keep(buf: Buffer, a: number, b: number, isOwned: boolean): void {
    const seen = Math.min(b - a, this.#sizeBytes - this.#triedBytes);
    this.#triedBytes += b - a;
    if (seen === b - a) return;
    this.#sizeBytes += b - a - seen;
    const fitting = this.#targets.filter((target) => this.#sizeBytes <= target.policy.maxBodyBytes);
    for (const target of this.#targets) if (!fitting.includes(target)) target.dropped('body');
    this.#targets = fitting;
    if (fitting.length === 0) this.#chunks = [];
    else this.#chunks.push(keptBytes(isOwned, buf, a + seen, b));
  }

  #send(): void {
    const targets = this.#targets;
    const chunks = this.#chunks;
    this.#targets = [];
    this.#chunks = [];
    const body =
      chunks.length === 0 ? null : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    try {
      for (const target of targets) target.send(this.#stream, body);
    } catch (thrown) {
      this.#proxy.context.logger.error('a mirror failed', { error: messageOf(thrown) });
    }
  }
}
