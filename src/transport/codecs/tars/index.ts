import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { tarsProtocol } from './protocol.ts';

/** Tars, Tencent's RPC. */
export const tars: Codec<FramedConfig> = framedCodec(tarsProtocol, FramedConfig);
