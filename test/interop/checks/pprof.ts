import type { Check } from '../kit/check.ts';
import { requireProgram } from '../kit/execute.ts';
import { run } from '../pprof/run.ts';

export const check: Check = {
  what: 'go tool pprof reads every kind of profile',
  async run() {
    requireProgram('go', 'apt-get install golang');
    await run();
    return 'see above';
  },
};
