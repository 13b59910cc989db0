import type { Codec } from '../../../core/contract/codec.ts';
import { FramedConfig, framedCodec } from '../framed/index.ts';
import { Inner } from './constants.ts';
import { thriftProtocol } from './protocol.ts';

const framedProtocol = thriftProtocol({
  name: 'thrift',
  isHeader: false,
  inner: Inner.binary,
});

const headerProtocol = thriftProtocol({
  name: 'thrift-header',
  isHeader: true,
  inner: Inner.binary,
});

/** Thrift in frames (TFramedTransport); frames with THeader are understood too. */
export const thrift: Codec<FramedConfig> = framedCodec(framedProtocol, FramedConfig);

/** Thrift in THeader, whose key-value infos are headers: requests of other protocols are written with it. */
export const thriftHeader: Codec<FramedConfig> = framedCodec(headerProtocol, FramedConfig);
