import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { dubboProtocol } from './protocol.ts';

export const dubbo: Codec<FramedConfig> = framedCodec(dubboProtocol, FramedConfig);

export { dubboProtocol } from './protocol.ts';
