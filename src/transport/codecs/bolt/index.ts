import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { boltProtocol } from './protocol.ts';

/** SOFA Bolt v1 and v2, the protocol of SOFARPC. */
export const bolt: Codec<FramedConfig> = framedCodec(boltProtocol, FramedConfig);

export { boltProtocol } from './protocol.ts';
export { boltStatusOf, httpStatusOf } from './status.ts';
