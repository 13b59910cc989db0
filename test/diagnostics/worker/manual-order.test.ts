import test from 'ava';
import { manualOrder } from '../../../src/diagnostics/worker/manual-order.ts';

test('a capture of no kind, or of one that there is not, is refused with the kinds that there are', (t) => {
  const refusal = (kinds: unknown): string =>
    t.throws(() => manualOrder({ kinds } as { kinds: string[] }, 0), { code: 'ERR_OPTION_INVALID' })
      ?.message ?? '';
  t.regex(refusal(undefined), /name one profile kind at least; there are cpu, before/);
  t.regex(refusal([]), /name one profile kind at least/);
  t.regex(refusal(['cpu', 'hepa']), /no profile kind is called "hepa"/);
});

test('the recorder’s minute belongs to the capture, unless CPU time is taken now as well', (t) => {
  t.is(manualOrder({ kinds: ['before'] }, 5000).troubleMs, 0);
  t.is(manualOrder({ kinds: ['before', 'cpu'] }, 5000).troubleMs, 5000);
});
