import * as v from 'valibot';
import { HeddleError } from '../../core/base/errors.ts';
import { type Codec, Match } from '../../core/contract/codec.ts';

const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const named = v.pipe(
  v.union([
    v.pipe(v.string(), v.minLength(1)),
    v.strictObject({ name: v.string(), config: v.optional(v.unknown()) }),
  ]),
  v.transform((given): { name: string; config?: unknown } =>
    typeof given === 'string' ? { name: given } : given,
  ),
);

const config = v.strictObject({
  /** Codecs to choose from, asked in this order; a name or { name, config }. */
  codecs: v.pipe(v.array(named), v.minLength(1, 'at least one codec')),
  /** Bytes that may stay undecided (1024). */
  maxBytes: v.optional(integer(1, 65_536), 1024),
  /** How long a connection may stay undecided, from its accept (3000). */
  timeoutMs: v.optional(integer(1, 2_147_483_647), 3000),
});
export type DetectConfig = v.InferOutput<typeof config>;

/**
 * Finds out by the first bytes which of several codecs a connection speaks. What none of them knows goes to the
 * listener's terminal network filter (tcp-proxy), or is closed where there is none.
 *
 * @example
 * codec: { name: detect, config: { codecs: [http1, bolt] } }
 */
export const detect: Codec<DetectConfig> = {
  name: 'detect',
  isDetector: true,
  poolMode: 'pingPong',
  maxConcurrent: 1,
  config,
  match: () => Match.no,
  server: () => refuse(),
  client: () => refuse(),
  hijack: () => refuse(),
  statusOf: () => refuse(),
};

/** The configuration check keeps it away from clusters, the assembly puts a detector in its place on listeners. */
function refuse(): never {
  throw new HeddleError('ERR_BUG', 'the codec detect speaks no protocol itself');
}
