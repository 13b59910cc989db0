/** A plain-text table: names left, numbers right. */
import type { Cell, Row } from './suite.ts';

/** Columns appear in the order in which rows first use them. */
export function formatTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0) return '';
  const lines = [columns, ...rows.map((row) => columns.map((column) => formatCell(row[column])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const isNumeric = columns.map((column) => rows.some((row) => typeof row[column] === 'number'));
  const pad = (text: string, index: number): string =>
    isNumeric[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

function formatCell(cell: Cell | undefined): string {
  if (cell === undefined || cell === null) return '-';
  if (typeof cell === 'object') return cell.map((value) => value ?? '-').join('/');
  return String(cell);
}
