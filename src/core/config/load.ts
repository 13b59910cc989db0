import { type CheckResult, checkConfig } from './check.ts';
import type { CheckOptions } from './check-options.ts';
import type { ExtensionSet } from './extensions.ts';
import { convertMosn, looksLikeMosn, type MosnOptions, type Notice } from './mosn/index.ts';
import type { ConfigPath, Locate, Origin } from './problems.ts';
import { readConfigText } from './read-text.ts';

/** Whose configuration a file is. */
export type ConfigDialect = 'heddle' | 'mosn';

export interface TextSource {
  /** What problems call the text. */
  readonly path: string;
  /** @default by the name: json for "*.json", else yaml (which JSON is, too) */
  readonly format?: 'yaml' | 'json';
  /** @default by what stands in it */
  readonly dialect?: ConfigDialect;
}

export interface LoadOptions
  extends Omit<CheckOptions, 'file' | 'locate' | 'origin'>,
    Pick<MosnOptions, 'lenient' | 'readFolder' | 'absolutePath'> {}

export type LoadResult = CheckResult & {
  readonly dialect: ConfigDialect;
  /** What was read and has no effect, or another one than where it comes from. */
  readonly notices: readonly Notice[];
};

/** Reads YAML or JSON and checks it (`checkConfig`). Problems name file and line; none is thrown. */
export function loadConfigText(
  text: string,
  source: TextSource,
  extensions: ExtensionSet,
  options: LoadOptions = {},
): LoadResult {
  const { path } = source;
  const format = source.format ?? (path.toLowerCase().endsWith('.json') ? 'json' : 'yaml');
  const { value, locate, problems } = readConfigText(text, path, format);
  const dialect = source.dialect ?? (looksLikeMosn(value) ? 'mosn' : 'heddle');
  // A text that could not be read is no configuration, and an empty one is a configuration with defaults only.
  if (value === undefined) return { config: null, problems, dialect, notices: [] };
  const result =
    dialect === 'mosn'
      ? loadMosn(value, path, locate, extensions, options)
      : { ...checkConfig(value ?? {}, extensions, { ...options, file: path, locate }), notices: [] };
  if (problems.length === 0) return { ...result, dialect };
  return { config: null, problems: [...problems, ...result.problems], dialect, notices: result.notices };
}

function loadMosn(
  value: unknown,
  file: string,
  locate: Locate,
  extensions: ExtensionSet,
  options: LoadOptions,
): CheckResult & { readonly notices: readonly Notice[] } {
  const { input, problems, notices, origin } = convertMosn({ file, locate, value }, extensions, options);
  const originOf = (path: ConfigPath): Origin | null => {
    const place = origin(path);
    if (place === null) return null;
    const { source } = place;
    return { file: source.file, path: place.path, line: source.locate(place.path) };
  };
  const result = checkConfig(input, extensions, { ...options, file, origin: originOf });
  if (problems.length === 0) return { ...result, notices };
  // Where the conversion told of something, what follows from it would be told twice.
  const told = new Set(problems.map((each) => each.path));
  const others = result.problems.filter((each) => !told.has(each.path));
  return { config: null, problems: [...problems, ...others], notices };
}
