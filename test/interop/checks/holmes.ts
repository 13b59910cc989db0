import { run } from '../holmes/run.ts';
import type { Check } from '../kit/check.ts';
import { requireProgram } from '../kit/execute.ts';

export const check: Check = {
  what: 'holmes itself decides on generated traces as our compatible rules do',
  async run() {
    requireProgram('go', 'apt-get install golang');
    await run();
    return 'see above';
  },
};
