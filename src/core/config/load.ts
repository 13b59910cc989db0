import { lateModule } from '../base/late-module.ts';
import { type CheckResult, checkConfig } from './check.ts';
import type { CheckOptions } from './check-options.ts';
import type { ExtensionSet } from './extensions.ts';
import type { MosnOptions } from './mosn/context.ts';
import { looksLikeMosn } from './mosn/detect.ts';
import type { Notice } from './mosn/report.ts';
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

const mosn = lateModule<typeof import('./mosn/convert.ts')>('./mosn/convert', import.meta.url);

export interface LoadOptions
  extends Omit<CheckOptions, 'file' | 'locate' | 'origin'>,
    Pick<MosnOptions, 'lenient' | 'readFolder' | 'absolutePath'> {}

export type LoadResult = CheckResult & {
  readonly dialect: ConfigDialect;
  /** The native configuration before defaults are filled in: what was read, or what was made of it. */
  readonly input: unknown;
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
  if (value === undefined) return { config: null, problems, dialect, input: undefined, notices: [] };
  const result =
    dialect === 'mosn'
      ? loadMosn(value, path, locate, extensions, options)
      : {
          ...checkConfig(value ?? {}, extensions, { ...options, file: path, locate }),
          input: value ?? {},
          notices: [],
        };
  if (problems.length === 0) return { ...result, dialect };
  return { ...result, config: null, problems: [...problems, ...result.problems], dialect };
}

function loadMosn(
  value: unknown,
  file: string,
  locate: Locate,
  extensions: ExtensionSet,
  options: LoadOptions,
): CheckResult & Pick<LoadResult, 'input' | 'notices'> {
  const { input, problems, notices, origin } = mosn().convertMosn(
    { file, locate, value },
    extensions,
    options,
  );
  const originOf = (path: ConfigPath): Origin | null => {
    const place = origin(path);
    if (place === null) return null;
    const { source } = place;
    return { file: source.file, path: place.path, line: source.locate(place.path) };
  };
  const result = checkConfig(input, extensions, { ...options, file, origin: originOf });
  if (problems.length === 0) return { ...result, input, notices };
  // Where the conversion told of something, or of something within, what follows from it would be told twice.
  const told = problems.map((each) => each.path);
  const others = result.problems.filter(
    ({ path }) =>
      !told.some((each) => each === path || (/^[.[]/.test(each.slice(path.length)) && each.startsWith(path))),
  );
  return { config: null, problems: [...problems, ...others], input, notices };
}
