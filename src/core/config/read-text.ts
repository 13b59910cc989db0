import type * as Yaml from 'yaml';
import { messageOf } from '../base/errors.ts';
import { loadYaml } from '../base/yaml.ts';
import { readPlainJson } from './plain-json.ts';
import { PlainReader } from './plain-reader.ts';
import { type ConfigPath, type Locate, type Problem, ProblemList } from './problems.ts';

export interface ReadResult {
  /** Objects without a prototype; undefined when the text could not be read at all. */
  readonly value: unknown;
  readonly locate: Locate;
  readonly problems: readonly Problem[];
}

/** Longest text that is read: 64 MiB of characters. */
const maxLength = 64 * 1024 * 1024;

/**
 * Reads YAML or JSON and remembers where everything stands. Refused, each with its line: what is no YAML or JSON, keys
 * that stand twice, keys that would reach an object's prototype, tags of other languages, several documents in one
 * text, aliases that unfold without end. The YAML package (31 ms to load) is loaded on first use; 10,000 endpoints
 * take about 0.2 s. For JSON in which nothing is wrong it is not used.
 */
export function readConfigText(text: string, file: string, format: 'yaml' | 'json'): ReadResult {
  if (text.length > maxLength) {
    return refused(file, `${text.length} characters`, `at most ${maxLength} characters`, null);
  }
  const plain = readPlainJson(text.replace(/^\uFEFF/, ''));
  if (plain !== null) {
    let locate: Locate | null = null;
    const find = (path: ConfigPath): number | null => {
      locate ??= readYaml(text, file, format).locate;
      return locate(path);
    };
    return { value: plain.value, locate: find, problems: [] };
  }
  const json = format === 'json' ? jsonProblem(text, file) : null;
  return json ?? readYaml(text, file, format);
}

function readYaml(text: string, file: string, format: 'yaml' | 'json'): ReadResult {
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'error' });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const broken = [...document.errors, ...document.warnings].map((error): Problem => {
    const what = firstLine(error.message).replace(/ at line \d+, column \d+:?$/, '');
    return problemAt(file, 'the text', `${format.toUpperCase()} (${what})`, lineAt(error.pos[0]));
  });
  if (broken.length > 0) return { value: undefined, locate: () => null, problems: broken };
  const locate = createLocate(yaml, document, lineAt);
  const problems = new ProblemList(file, locate);
  const value = new PlainReader(yaml, document, problems).read();
  return { value, locate, problems: problems.all };
}

/** YAML takes more than JSON does; a file that says it is JSON must be. */
function jsonProblem(text: string, file: string): ReadResult | null {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return null;
  } catch (thrown) {
    const message = messageOf(thrown);
    const line = /line (\d+)/.exec(message)?.[1];
    return refused(file, 'the text', `JSON (${message})`, line === undefined ? null : Number(line));
  }
}

function refused(file: string, read: string, allowed: string, line: number | null): ReadResult {
  return { value: undefined, locate: () => null, problems: [problemAt(file, read, allowed, line)] };
}

function problemAt(file: string, read: string, allowed: string, line: number | null): Problem {
  return { path: '', read, allowed, nearest: null, file, line };
}

const firstLine = (text: string): string => text.split('\n', 1)[0] as string;

/** The line of a key where it stands, else of the innermost part of the path that stands in the text. */
function createLocate(
  yaml: typeof Yaml,
  document: Yaml.Document,
  lineAt: (offset: number) => number,
): Locate {
  return (path: ConfigPath) => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    for (const key of path) {
      if (yaml.isAlias(node)) node = node.resolve(document);
      if (yaml.isMap(node)) {
        const pair = node.items.find(
          (each) => yaml.isScalar(each.key) && String(each.key.value) === String(key),
        );
        if (pair === undefined) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (yaml.isSeq(node) && typeof key === 'number' && key < node.items.length) {
        node = node.items[key];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return lineAt(offset);
  };
}

function startOf(node: unknown): number | null {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? null;
}
