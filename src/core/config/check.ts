import type { EffectiveConfig } from '../contract/config.ts';
import { checkExtensions } from './check-extensions.ts';
import { checkListenerEnds } from './check-listener-ends.ts';
import type { CheckOptions } from './check-options.ts';
import { checkReferences } from './check-references.ts';
import { checkStructure } from './check-structure.ts';
import { complete } from './complete.ts';
import { Cursor } from './cursor.ts';
import { revealed } from './dump.ts';
import type { ExtensionSet } from './extensions.ts';
import { type ConfigPath, configError, missing, type Problem, ProblemList } from './problems.ts';

export type CheckResult =
  | { readonly config: EffectiveConfig; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly Problem[] };

/**
 * Checks a configuration and fills in what it leaves out. All problems are found in one go: types, unknown keys,
 * names that do not exist or exist twice, keys that exclude each other, and what extensions say about their own part.
 * The input is not changed.
 */
export function checkConfig(
  input: unknown,
  extensions: ExtensionSet,
  options: CheckOptions = {},
): CheckResult {
  const { file = null, locate = () => null, origin } = options;
  const problems = new ProblemList(file, locate, input, origin);
  const draft = new Cursor(checkStructure(input, problems));
  checkExtensions(draft, extensions, problems);
  checkListenerEnds(draft, extensions, problems);
  checkReferences(draft, extensions, options, problems);
  checkMonitor(draft.at('monitor'), options, problems);
  if (problems.all.length > 0) return { config: null, problems: problems.all };
  return { config: complete(draft), problems: [] };
}

function checkMonitor(monitor: Cursor, options: CheckOptions, problems: ProblemList): void {
  const settings = monitor.record();
  if (settings === null) return;
  for (const { path, detail } of options.checkMonitor?.(revealed(settings)) ?? [])
    problems.add([...monitor.path, ...path], valueAt(settings, path), detail);
}

const valueAt = (from: object, path: ConfigPath): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)?.[key], from) ?? missing;

/** As `checkConfig`. @throws HeddleError ERR_CONFIG_INVALID with the list in `context.problems` */
export function requireConfig(
  input: unknown,
  extensions: ExtensionSet,
  options: CheckOptions = {},
): EffectiveConfig {
  const result = checkConfig(input, extensions, options);
  if (result.config === null) throw configError(result.problems);
  return result.config;
}
