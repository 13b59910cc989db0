import type { Check } from '../kit/check.ts';
import { runPeers } from '../rpc/run.ts';

export const check: Check = {
  what: 'SOFARPC for Java, client and server over Bolt, directly and through the proxy',
  run: (scope) => runPeers(scope, 'bolt', 'sofarpc'),
};
