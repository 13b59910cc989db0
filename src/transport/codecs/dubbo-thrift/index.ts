import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { dubboThriftProtocol } from './protocol.ts';

/** Thrift messages behind Dubbo's header with service and request id. */
export const dubboThrift: Codec<FramedConfig> = framedCodec(dubboThriftProtocol, FramedConfig);
