import type { Cursor } from './cursor.ts';
import { formatPath, type ProblemList } from './problems.ts';

/** Reports every text that stood at an earlier place already. @param what "listener", "domain" ... */
export function refuseRepeats(places: readonly Cursor[], what: string, problems: ProblemList): void {
  const first = new Map<string, Cursor>();
  for (const place of places) {
    const text = place.text();
    if (text === null) continue;
    const earlier = first.get(text.toLowerCase());
    if (earlier === undefined) first.set(text.toLowerCase(), place);
    else problems.add(place.path, text, `a ${what} that is not at ${formatPath(earlier.path)} already`);
  }
}

/** Reports a second one of keys that exclude each other. */
export function refuseTogether(place: Cursor, keys: readonly string[], problems: ProblemList): void {
  const given = place.given(keys);
  for (const key of given.slice(1)) {
    problems.add(
      place.at(key).path,
      place.at(key).value,
      `only one of ${keys.join(', ')}; ${given[0]} is given too`,
    );
  }
}
