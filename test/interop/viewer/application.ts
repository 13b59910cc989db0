/** An application with a bit of everything to look at: load, a stall, and requests that wait on one lock. */
const waiters: (() => void)[] = [];
const acquireLock = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));

async function reserveStock(): Promise<void> {
  await acquireLock();
}
async function placeOrder(): Promise<void> {
  await reserveStock();
}
function renderInvoice(untilMs: number): number {
  let length = 0;
  while (Date.now() < untilMs)
    length += JSON.stringify({ lines: Array.from({ length: 100 }, (_, index) => ({ index })) }).length;
  return length;
}

for (let order = 0; order < 700; order++) void placeOrder();
setInterval(() => renderInvoice(Date.now() + 20), 100);
process.on('message', (ms) => {
  renderInvoice(Date.now() + Number(ms));
});
process.send?.('ready');
