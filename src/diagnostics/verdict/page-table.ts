/** `left` for names, `right` for numbers. */
export type Align = 'left' | 'right';

/** Widest column that is still padded: one long path must not push all other columns off the screen. */
const widest = 60;

/** Names come from the application: a pipe or a line break must not break the table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** A Markdown table that can be read as it is, in a terminal: its columns stand below each other. */
export function tableOf(
  head: readonly string[],
  aligns: readonly Align[],
  rows: readonly (readonly string[])[],
): string[] {
  const body = rows.map((row) => row.map(cell));
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...body.map((row) => Math.min(widest, (row[column] ?? '').length))),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => pad(text, widths[column] ?? 0, aligns[column])).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    aligns[column] === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), line(rule), ...body.map(line)];
}

const pad = (text: string, width: number, align: Align | undefined): string =>
  align === 'right' ? text.padStart(width) : text.padEnd(width);
