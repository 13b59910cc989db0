import { type Check, NotInstalled } from '../kit/check.ts';
import { findChromium } from '../viewer/chromium.ts';
import { run } from '../viewer/run.ts';

export const check: Check = {
  what: 'the profile viewer in a real browser',
  async run() {
    if (findChromium() === undefined) throw new NotInstalled('chromium', 'apt-get install chromium');
    await run();
    return 'see above';
  },
};
