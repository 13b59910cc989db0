import type * as v from 'valibot';

interface AnySchema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly wrapped?: AnySchema;
  readonly item?: AnySchema;
  readonly value?: AnySchema;
  readonly options?: readonly AnySchema[];
  /** Of a variant: the field that tells its options apart. */
  readonly key?: string;
  readonly literal?: unknown;
}

type Issue = v.BaseIssue<unknown>;

/** A field that a strict object does not have; valibot says "expected never" and not what there is. */
export const isUnknownKey = (issue: Issue): boolean =>
  issue.type === 'strict_object' && issue.expected === 'never';

/** `no such setting; there are a, b, c`. */
export function unknownKey(schema: unknown, issue: Issue): string {
  const keys = keysAt(schema as AnySchema, issue.path ?? []);
  const known = keys.length === 0 ? '' : `; there are ${keys.join(', ')}`;
  return `there is no such setting${known}`;
}

/** Fields of the object in which the last step of the path stands. */
function keysAt(root: AnySchema, path: readonly unknown[]): string[] {
  let at: AnySchema | undefined = root;
  for (const [index, step] of path.entries()) {
    const { key, input } = step as { readonly key: unknown; readonly input: unknown };
    at = narrowed(at, input);
    if (at === undefined) return [];
    if (index === path.length - 1) return Object.keys(at.entries ?? {});
    at = at.entries?.[String(key)] ?? at.item ?? at.value;
  }
  return [];
}

/** What describes this very input: without `optional`, and the one of several that fits. */
function narrowed(schema: AnySchema | undefined, input: unknown): AnySchema | undefined {
  if (schema?.wrapped !== undefined) return narrowed(schema.wrapped, input);
  if (schema?.options === undefined) return schema;
  const { key } = schema;
  const fits = (option: AnySchema): boolean =>
    key === undefined
      ? option.entries !== undefined
      : option.entries?.[key]?.literal === (input as Record<string, unknown>)[key];
  return narrowed(schema.options.find(fits), input);
}
