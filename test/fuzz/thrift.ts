import { Inner } from '../../src/transport/codecs/thrift/constants.ts';
import { thriftProtocol } from '../../src/transport/codecs/thrift/protocol.ts';
import { framedTarget } from './kit/framed-checks.ts';
import type { FuzzTarget } from './kit/fuzz.ts';
import { thriftFrame } from './kit/thrift-inputs.ts';

const protocol = thriftProtocol({ name: 'thrift', isHeader: false, inner: Inner.binary });

export const target: FuzzTarget = framedTarget(protocol, thriftFrame);
