import * as v from 'valibot';

type Dataset = v.UnknownDataset & { issues?: v.BaseIssue<unknown>[] };
type AnySchema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;
type Run = (dataset: Dataset, config: v.Config<v.BaseIssue<unknown>>) => Dataset;

/**
 * `strictObject` that reports every unknown key instead of the first one, so that a user sees all misspellings at
 * once. `requirement` of such an issue holds the keys that are known.
 */
export function fields<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, undefined> {
  const open = v.object(entries) as unknown as { '~run': Run };
  const unknownKey = {
    kind: 'schema',
    type: 'unknown_key',
    reference: fields,
    requirement: Object.keys(entries),
  };
  const run: Run = (dataset, config) => {
    const input = dataset.value;
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      v._addIssue(schema, 'type', dataset as never, config as never);
      return dataset;
    }
    const result = open['~run'](dataset, config);
    for (const key of Object.keys(input)) {
      if (Object.hasOwn(entries, key)) continue;
      const value = (input as Record<string, unknown>)[key];
      v._addIssue(unknownKey as never, 'key', result as never, config as never, {
        input: key,
        expected: 'never',
        path: [{ type: 'object', origin: 'key', input: input as Record<string, unknown>, key, value }],
      });
    }
    return result;
  };
  const schema = Object.assign(v.strictObject(entries), { '~run': run });
  return schema as unknown as v.StrictObjectSchema<Entries, undefined>;
}

/**
 * A text for short or an object in full. Unlike `union` it decides by the type of the input, so that the problems
 * inside the object are reported where they are and not as "neither of the two".
 */
export function textOr<Text extends AnySchema, Full extends AnySchema>(
  text: Text,
  full: Full,
): v.UnionSchema<[Text, Full], undefined> {
  const run: Run = (dataset, config) => {
    const chosen = (typeof dataset.value === 'string' ? text : full) as unknown as { '~run': Run };
    return chosen['~run'](dataset, config);
  };
  return Object.assign(v.union([text, full]), { '~run': run }) as unknown as v.UnionSchema<
    [Text, Full],
    undefined
  >;
}
