import { Scope } from '../../interop/kit/check.ts';
import { rotateUnderLoad } from './rotation.ts';

const rotations = 100;

/** Certificates of both sides are replaced a hundred times under load: no call fails. */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const { calls, handshakes, failures } = await rotateUnderLoad(scope, rotations);
  console.log(
    `cert-rotation: ${rotations} rotations, ${calls} calls, ${handshakes} handshakes, ${failures.length} failed`,
  );
  if (failures.length > 0) throw new Error(`failed calls, first: ${failures[0]}`);
}
