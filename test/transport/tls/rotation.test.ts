import test from 'ava';
import { rotateUnderLoad } from '../../soak/cert-rotation/rotation.ts';

// A hundred times: npm run soak -- cert-rotation
test('certificates of both sides are replaced 20 times under load, and no call fails', async (t) => {
  const { calls, handshakes, failures } = await rotateUnderLoad(t, 20, 4);
  t.deepEqual(failures.slice(0, 3), []);
  t.true(calls > 100, `${calls} calls`);
  t.true(handshakes >= 20, `${handshakes} handshakes`);
});
