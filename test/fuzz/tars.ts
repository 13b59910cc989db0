import { tarsProtocol } from '../../src/transport/codecs/tars/protocol.ts';
import { framedTarget } from './kit/framed-checks.ts';
import type { FuzzTarget } from './kit/fuzz.ts';
import { tarsFrame } from './kit/tars-inputs.ts';

export const target: FuzzTarget = framedTarget(tarsProtocol, tarsFrame);
