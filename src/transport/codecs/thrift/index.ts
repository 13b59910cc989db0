import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { Inner } from './constants.ts';
import { thriftProtocol } from './protocol.ts';

/** Thrift in frames (TFramedTransport); frames with THeader are understood too. */
export const thrift: Codec<FramedConfig> = framedCodec(
  thriftProtocol('thrift', { isHeader: false, inner: Inner.binary }),
  FramedConfig,
);

/** Thrift in THeader, whose key-value infos are headers: requests of other protocols are written with it. */
export const thriftHeader: Codec<FramedConfig> = framedCodec(
  thriftProtocol('thrift-header', { isHeader: true, inner: Inner.binary }),
  FramedConfig,
);
