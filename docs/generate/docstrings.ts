import { readFileSync } from 'node:fs';

export interface DocumentedInterface {
  readonly text: string;
  /** Property to docstring, inherited ones included. */
  readonly properties: ReadonlyMap<string, string>;
}

const files = [
  'config',
  'cluster-config',
  'cluster-health-config',
  'codec',
  'pipeline',
  'cluster',
  'route-config',
  'route-match-config',
  'tls-config',
].map((name) => `src/core/contract/${name}.ts`);
const interfaces =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?(?:export )?interface (\w+)(?: extends ([\w, ]+?))? \{\n?([\s\S]*?)\n?\}\n/g;
const members = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\??:/g;

/** The docstrings of the contract's interfaces: the one place where options are described. */
export function readDocstrings(): ReadonlyMap<string, DocumentedInterface> {
  const found = new Map<string, DocumentedInterface>();
  const parents = new Map<string, string[]>();
  for (const file of files) {
    for (const [, doc = '', name = '', extended = '', body = ''] of readFileSync(file, 'utf8').matchAll(
      interfaces,
    )) {
      const properties = new Map(
        [...body.matchAll(members)].map(([, text = '', key = '']) => [key, plainText(text)]),
      );
      found.set(name, { text: plainText(doc), properties });
      parents.set(name, extended === '' ? [] : extended.split(',').map((each) => each.trim()));
    }
  }
  const inherit = (name: string): [string, string][] => [
    ...(parents.get(name) ?? []).flatMap(inherit),
    ...(found.get(name)?.properties ?? []),
  ];
  return new Map([...found].map(([name, { text }]) => [name, { text, properties: new Map(inherit(name)) }]));
}

function plainText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
}
