import { zookeeperPeers } from '../discovery/zookeeper.ts';
import type { Check } from '../kit/check.ts';

export const check: Check = {
  what: 'ZooKeeper with Apache Dubbo 3.3 and 2.7 and SOFARPC, providers and consumers, in their layouts',
  run: zookeeperPeers,
};
