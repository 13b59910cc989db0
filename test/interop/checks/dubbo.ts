import type { Check } from '../kit/check.ts';
import { runPeers } from '../rpc/run.ts';

export const check: Check = {
  what: 'Apache Dubbo for Java, 3.3 and 2.7, client and server, directly and through the proxy',
  async run(scope) {
    const three = await runPeers(scope, 'dubbo', 'dubbo');
    return `3.3: ${three}; 2.7: ${await runPeers(scope, 'dubbo', 'dubbo-2.7')}`;
  },
};
