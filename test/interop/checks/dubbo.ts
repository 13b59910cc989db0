import type { Check } from '../kit/check.ts';
import { runPeers } from '../rpc/run.ts';

export const check: Check = {
  what: 'Apache Dubbo for Java, client and server, directly and through the proxy',
  run: (scope) => runPeers(scope, 'dubbo', 'dubbo'),
};
