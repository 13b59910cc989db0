import { getHeapStatistics } from 'node:v8';

const megabyte = 1024 * 1024;

/**
 * The limit at which V8 really runs out. `heap_size_limit` is not it: V8 adds three semi-spaces (192 MB on Node 24,
 * 48 MB before), so a process with a limit of 200 MB dies at half of what that number says.
 */
export function oldSpaceLimitBytes(
  heapSizeLimitBytes: number = getHeapStatistics().heap_size_limit,
  flags: string = `${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`,
  nodeMajor = Number(process.versions.node.split('.')[0]),
): number {
  const given = lastNumber(flags, /--max[-_]old[-_]space[-_]size[= ](\d+)/g);
  if (given !== undefined) return given * megabyte;
  const semiSpaceMb =
    lastNumber(flags, /--max[-_]semi[-_]space[-_]size[= ](\d+)/g) ?? (nodeMajor >= 24 ? 64 : 16);
  return Math.max(heapSizeLimitBytes / 2, heapSizeLimitBytes - 3 * semiSpaceMb * megabyte);
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const found = [...text.matchAll(pattern)].at(-1)?.[1];
  return found === undefined || Number(found) === 0 ? undefined : Number(found);
}
