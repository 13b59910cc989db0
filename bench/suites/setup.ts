import type { Suite } from '../harness/suite.ts';
import { setUpPeers } from '../peers/setup.ts';

export const suite: Suite = {
  about: 'measures nothing: fetches or builds the peers that are missing and says which are here',
  goals: [],
  rounds: 1,
  seconds: 1,
  async run(bench) {
    return { rows: await setUpPeers(bench.progress), measures: [] };
  },
};
