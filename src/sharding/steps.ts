/** Runs a build in steps to its end at once. */
export function lastOf<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** A merge sort in steps, stable; the items are not changed. @param isBefore `a` must stand before `b` */
export function* sortSteps<T>(
  items: readonly T[],
  isBefore: (a: T, b: T) => boolean,
): Generator<void, readonly T[]> {
  const runLength = 512;
  let from = items.slice();
  for (let at = 0; at < from.length; at += runLength) {
    const run = from.slice(at, at + runLength).sort((a, b) => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0));
    for (let i = 0; i < run.length; i++) from[at + i] = run[i] as T;
    yield;
  }
  let into = from.slice();
  for (let width = runLength; width < from.length; width *= 2) {
    for (let at = 0; at < from.length; at += 2 * width) yield* mergeSteps(from, into, at, width, isBefore);
    [from, into] = [into, from];
  }
  return from;
}

/** Merges two neighbouring runs; other work may be done every 1,024 items. */
function* mergeSteps<T>(
  from: readonly T[],
  into: T[],
  start: number,
  width: number,
  isBefore: (a: T, b: T) => boolean,
): Generator<void, void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takesRight = left === middle || (right < end && isBefore(from[right] as T, from[left] as T));
    into[at] = from[takesRight ? right++ : left++] as T;
    if ((at & 1023) === 1023) yield;
  }
}
