// The service of http-app.mjs with something that can be switched on and off while it runs. The module named on the
// command line exports `on` and `off`; each line of stdin calls one of them and is answered when it is done.
import { createInterface } from 'node:readline';

const { on, off } = await import(process.argv[2]);
await off();
await import('./http-app.mjs');
for await (const word of createInterface({ input: process.stdin })) {
  await (word === 'on' ? on() : off());
  process.stdout.write(`${word}\n`);
}
process.exit(0);
