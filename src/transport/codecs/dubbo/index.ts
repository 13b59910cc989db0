import * as v from 'valibot';
import type { Codec } from '../../../core/contract/codec.ts';
import { framedCodec, framedOptions } from '../framed/index.ts';
import { dubboProtocol } from './protocol.ts';

export const DubboConfig = v.strictObject({
  ...framedOptions,
  /** As `idleTimeoutMs` of bolt: three heartbeats of a Dubbo consumer, which sends one a minute. */
  idleTimeoutMs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 180_000),
});

/** Dubbo2, the TCP protocol of Apache Dubbo 2 and 3. */
export const dubbo: Codec<v.InferOutput<typeof DubboConfig>> = framedCodec(dubboProtocol, DubboConfig);
