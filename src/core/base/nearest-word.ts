/** The word of `words` with the fewest edits to `wrong` (Levenshtein), or null when none is near enough to suggest. */
export function nearestWord(wrong: string, words: Iterable<string>): string | null {
  const lower = wrong.toLowerCase();
  let best: string | null = null;
  let least = Math.max(2, Math.floor(wrong.length / 3)) + 1;
  for (const word of words) {
    if (Math.abs(word.length - wrong.length) >= least) continue;
    const edits = editDistance(lower, word.toLowerCase());
    if (edits < least) {
      least = edits;
      best = word;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
