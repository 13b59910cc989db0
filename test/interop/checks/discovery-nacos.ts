import { nacosPeers } from '../discovery/nacos.ts';
import type { Check } from '../kit/check.ts';

export const check: Check = {
  what: 'Nacos with Apache Dubbo 3.3 and SOFARPC, providers and consumers, in their layouts',
  run: nacosPeers,
};
