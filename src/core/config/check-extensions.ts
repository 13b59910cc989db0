import type { BaseIssue } from 'valibot';
import type { ConfigSchema, SchemaIssue } from '../contract/extension.ts';
import { canonicalJson, isPlainData } from './canonical-json.ts';
import { addIssue } from './check-structure.ts';
import type { Cursor } from './cursor.ts';
import type { ExtensionSet } from './extensions.ts';
import { type ConfigPath, isSecretPath, missing, type ProblemList } from './problems.ts';
import { keepRaw } from './raw-config.ts';

interface Definition {
  readonly name: string;
  readonly config: ConfigSchema;
}

/**
 * Checks every `{ name, config }` with the schema of the extension of that name and puts the result, defaults filled
 * in, in its place. What cannot be built is a problem, whether it guards anything or not: nothing is skipped.
 */
export function checkExtensions(draft: Cursor, extensions: ExtensionSet, problems: ProblemList): void {
  for (const listener of draft.at('listeners').items()) {
    checkOne(listener.at('codec'), extensions.codecs, 'codec', problems);
    checkOne(listener.at('tls').at('source'), extensions.secretSources, 'secret source', problems);
    checkPipeline(listener, extensions, problems);
  }
  checkPipeline(draft.at('inProcess'), extensions, problems);
  checkPipeline(draft.at('ingress'), extensions, problems);
  for (const registry of draft.at('localRegistry').at('registries').items())
    checkOne(registry, extensions.registries, 'registry', problems);
  for (const publication of draft.at('publications').items())
    checkOne(publication.at('registry'), extensions.registries, 'registry', problems);
  for (const cluster of draft.at('clusters').items()) {
    checkOne(cluster.at('codec'), extensions.codecs, 'codec', problems);
    checkOne(cluster.at('loadBalancer'), extensions.balancers, 'load balancer', problems);
    checkOne(cluster.at('discovery'), extensions.registries, 'registry', problems);
    checkOne(cluster.at('healthCheck'), extensions.healthChecks, 'health check', problems);
    checkOne(cluster.at('tls').at('source'), extensions.secretSources, 'secret source', problems);
  }
}

function checkPipeline(pipeline: Cursor, extensions: ExtensionSet, problems: ProblemList): void {
  const filters = pipeline.at('filters').items();
  for (const filter of filters) checkOne(filter, extensions.filters, 'filter', problems);
  const used = filters.map((filter) => filter.at('name').text() ?? '');
  for (const host of pipeline.at('virtualHosts').items()) {
    checkFilterConfigs(host.at('filterConfigs'), used, extensions, problems);
    for (const route of host.at('routes').items()) {
      checkFilterConfigs(route.at('filterConfigs'), used, extensions, problems);
    }
  }
}

/** Replaces `config` by what the schema of the extension of that name makes of it. */
export function checkOne(
  place: Cursor,
  definitions: readonly Definition[],
  kind: string,
  problems: ProblemList,
): void {
  const record = place.record();
  const name = place.at('name').text();
  if (record === null || name === null) return;
  const definition = find(name, definitions, kind, place.at('name').path, problems);
  if (definition !== null) checkValue(record, 'config', [...place.path, 'config'], definition, problems);
}

function checkFilterConfigs(
  place: Cursor,
  used: readonly string[],
  extensions: ExtensionSet,
  problems: ProblemList,
): void {
  const record = place.record();
  if (record === null) return;
  for (const [name, config] of place.entries()) {
    if (!used.includes(name)) {
      const known = used.length === 0 ? 'and there is none' : used.join(', ');
      problems.add(config.path, name, `the name of a filter of this listener (${known})`, used);
      continue;
    }
    const definition = extensions.filters.find((each) => each.name === name);
    if (definition?.stage === 'beforeRoute') {
      // It would be ignored, and a filter that protects must not be thought to be set up here.
      problems.add(config.path, name, 'the name of a filter that runs after the route is known');
    } else if (definition !== undefined && config.value !== false) {
      checkValue(record, name, config.path, definition, problems);
    }
  }
}

function find(
  name: string,
  definitions: readonly Definition[],
  kind: string,
  path: ConfigPath,
  problems: ProblemList,
): Definition | null {
  const known = definitions.map((each) => each.name);
  const definition = definitions.find((each) => each.name === name);
  if (definition !== undefined) return definition;
  problems.add(path, name, `the name of a ${kind}: ${known.join(', ') || 'none is known'}`, known);
  return null;
}

/** Replaces `record[key]` by what the schema makes of it. */
function checkValue(
  record: Record<string, unknown>,
  key: string,
  path: ConfigPath,
  definition: Definition,
  problems: ProblemList,
): void {
  const raw = record[key] ?? {};
  const result = validate(definition, raw);
  if (result.issues !== undefined) {
    for (const issue of result.issues) addIssueOf(definition, issue, raw, path, problems);
    return;
  }
  record[key] = result.value;
  if (!isStable(definition, result.value)) keepRaw(record, key, raw);
}

/** Whether the result can stand in a dump: it is plain data and the schema makes the same of it again. */
function isStable(definition: Definition, value: unknown): boolean {
  if (!isPlainData(value)) return false;
  const again = validate(definition, value);
  return (
    again.issues === undefined &&
    isPlainData(again.value) &&
    canonicalJson(again.value) === canonicalJson(value)
  );
}

function validate(
  definition: Definition,
  raw: unknown,
): { value: unknown; issues?: undefined } | { issues: readonly SchemaIssue[] } {
  try {
    const result = definition.config['~standard'].validate(raw);
    if (!(result instanceof Promise)) return result;
    result.catch(() => {});
    return { issues: [{ message: `the schema of ${definition.name} must be synchronous` }] };
  } catch (thrown) {
    return { issues: [{ message: `the schema of ${definition.name} threw: ${String(thrown)}` }] };
  }
}

function addIssueOf(
  definition: Definition,
  issue: SchemaIssue,
  raw: unknown,
  path: ConfigPath,
  problems: ProblemList,
): void {
  if (definition.config['~standard'].vendor === 'valibot' && 'kind' in issue) {
    addValibotIssue(definition.config, issue as BaseIssue<unknown>, path, problems);
    return;
  }
  let read = raw;
  const full: (string | number)[] = [...path];
  for (const part of issue.path ?? []) {
    const key = typeof part === 'object' ? part.key : part;
    full.push(typeof key === 'number' ? key : String(key));
    read =
      typeof read === 'object' && read !== null ? (read as Record<PropertyKey, unknown>)[key] : undefined;
  }
  // The message is the extension's own: it may repeat the value, which may be a secret.
  const mayPrint = !isSecretPath(full) || typeof read !== 'string' || !issue.message.includes(read);
  problems.add(full, read ?? missing, mayPrint ? issue.message : 'see the documentation of the extension');
}

/** A `strictObject` tells only its first unknown key and not which are known; both are found out here. */
function addValibotIssue(
  schema: ConfigSchema,
  issue: BaseIssue<unknown>,
  path: ConfigPath,
  problems: ProblemList,
): void {
  const at = issue.path ?? [];
  const entries = 'entries' in schema ? (schema.entries as object) : null;
  const object = at[0]?.input;
  if (issue.expected !== 'never' || at.length !== 1 || entries === null || typeof object !== 'object') {
    addIssue(issue, path, problems);
    return;
  }
  const known = Object.keys(entries);
  for (const key of Object.keys(object ?? {})) {
    if (known.includes(key)) continue;
    problems.add([...path, key], key, `no such key; the keys here are ${known.join(', ')}`, known);
  }
}
