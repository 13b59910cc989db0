import { BlockReader, BlockWriter, type Field } from './harness.ts';

/** A story of the public corpus hpack-test-case: header blocks of one connection, with what they mean. */
export interface Story {
  readonly cases: readonly {
    readonly wire: string;
    readonly header_table_size?: number;
    readonly headers: readonly Readonly<Record<string, string>>[];
  }[];
}

const fieldsOf = (headers: Story['cases'][number]['headers']): Field[] =>
  headers.map((each) => Object.entries(each)[0] as Field);

/** Decodes a story, and encodes what it means for a decoder of our own. Returns the first thing that went wrong, or "". */
export function checkStory(story: Story): string {
  const sizes = story.cases.map((each) => each.header_table_size ?? 4096);
  const reader = new BlockReader(Math.max(...sizes));
  reader.decoder.table.resize(sizes[0] ?? 4096);
  for (const huffman of [false, true]) {
    const problem = checkEncoding(story, huffman);
    if (problem !== '') return problem;
  }
  for (const [i, { wire, headers }] of story.cases.entries()) {
    const lines = reader.lines(Buffer.from(wire, 'hex'));
    const expected = fieldsOf(headers).filter(([name]) => !dropped.has(name));
    if (JSON.stringify(withoutJoined(lines)) !== JSON.stringify(expected))
      return `block ${i}: ${JSON.stringify(lines)} instead of ${JSON.stringify(expected)}`;
  }
  return '';
}

function checkEncoding(story: Story, huffman: boolean): string {
  const writer = new BlockWriter(huffman);
  const reader = new BlockReader();
  for (const [i, { headers }] of story.cases.entries()) {
    const fields = fieldsOf(headers);
    const lines = withoutJoined(reader.lines(writer.write(fields)));
    const expected = fields.filter(([name]) => !dropped.has(name));
    if (JSON.stringify(lines) !== JSON.stringify(expected))
      return `block ${i} encoded anew: ${JSON.stringify(lines)}`;
  }
  return '';
}

/** Fields that no message of HTTP/2 may carry on: the assembly does not keep them. */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy',
]);

/** Crumbs of Cookie are joined behind all fields. */
function withoutJoined(lines: Field[] | null): Field[] | null {
  if (lines === null) return null;
  const crumbs = lines.filter(([name]) => name === 'cookie');
  return crumbs.length > 1 ? lines.slice(0, -1) : lines;
}
