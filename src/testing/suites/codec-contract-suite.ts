import type { Codec } from '../../core/contract/codec.ts';
import type { CodecSamples } from '../codec-samples.ts';
import { flowing } from './codec/flowing.ts';
import { moving } from './codec/moving.ts';
import { refusing } from './codec/refusing.ts';
import { roundTrip } from './codec/round-trip.ts';
import { splitting } from './codec/splitting.ts';
import type { SuiteTest } from './suite-test.ts';

export interface CodecSuiteOptions {
  /** Noise and damaged messages tried, each on server and client (300). */
  readonly fuzzInputs?: number;
}

/**
 * What every codec keeps, over in-memory wires: round trip, split at every byte, cut off anywhere, moved at every
 * message boundary, refused input, noise, back-pressure, reset, drain.
 *
 * @example codecContractSuite(test, http1, { config, exchanges, foreign, refused, refusedAnswers })
 */
export function codecContractSuite(
  test: SuiteTest,
  codec: Codec,
  samples: CodecSamples,
  options: CodecSuiteOptions = {},
): void {
  const subject = { codec, samples };
  roundTrip(test, codec.name, subject);
  splitting(test, codec.name, subject);
  refusing(test, codec.name, subject, options.fuzzInputs ?? 300);
  moving(test, codec.name, subject);
  flowing(test, codec.name, subject);
}
