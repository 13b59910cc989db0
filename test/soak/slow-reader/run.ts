import { slowReader } from '../../e2e/slow-reader.ts';
import { Scope } from '../../interop/kit/check.ts';

const mebibyte = 1024 * 1024;
const bodyBytes = 1024 * mebibyte;
const slowSeconds = 20;
const allowedBytes = 16 * mebibyte;

/** A body of 1 GiB whose reader takes 1 MiB/s for 20 s and then all of it: memory stays within 16 MiB of idle. */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const { receivedBytes, isSame, grownBytes } = await slowReader(scope, { bodyBytes, slowSeconds });
  const grown = `${(grownBytes / mebibyte).toFixed(1)} MiB`;
  console.log(`slow-reader: ${receivedBytes / mebibyte} MiB received, RSS at most ${grown} above idle`);
  if (receivedBytes !== bodyBytes || !isSame) throw new Error('the body is not what was sent');
  if (grownBytes > allowedBytes) throw new Error(`RSS grew by ${grown}`);
}
