import { globSync, readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string;
  readonly line: number;
  /** The words behind the fence, e.g. "ts runnable". */
  readonly info: string;
  readonly text: string;
}

/** Pages written by hand or generated, all of which must hold together. */
export const pages: readonly string[] = globSync(['*.md', 'docs/*.md', 'examples/**/*.md']).toSorted();

export const readPage = (page: string): string => readFileSync(page, 'utf8');

export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { info: string; line: number; lines: string[] } | null = null;
  for (const [index, text] of readPage(page).split('\n').entries()) {
    const fence = /^```(.*)$/.exec(text);
    if (fence === null) open?.lines.push(text);
    else if (open === null) open = { info: (fence[1] as string).trim(), line: index + 1, lines: [] };
    else {
      blocks.push({ page, line: open.line, info: open.info, text: open.lines.join('\n') });
      open = null;
    }
  }
  if (open !== null) throw new Error(`${page}:${open.line} a code block does not end`);
  return blocks;
}

/** The page without its code blocks. */
export const proseOf = (page: string): string => readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
