import type { MosnContext } from './context.ts';
import type { Place } from './report.ts';
import type { Section } from './section.ts';

export const editKeys = [
  'request_headers_to_add',
  'request_headers_to_remove',
  'response_headers_to_add',
  'response_headers_to_remove',
] as const;
type EditKey = (typeof editKeys)[number];

interface Edit {
  readonly name: string;
  readonly value: string;
  readonly action: 'append' | 'overwrite';
}

/** The header edits of one level. MOSN adds first and removes then, we the other way round: what it removes is not added. */
export function headerEdits(context: MosnContext, level: Section<EditKey>): Record<string, unknown> {
  const sides = [
    ['requestHeaders', 'removeRequestHeaders', 'request_headers_to_add', 'request_headers_to_remove'],
    ['responseHeaders', 'removeResponseHeaders', 'response_headers_to_add', 'response_headers_to_remove'],
  ] as const;
  const edits: Record<string, unknown> = {};
  for (const [add, remove, addKey, removeKey] of sides) {
    const removed = level.texts(removeKey);
    const gone = new Set(removed.map((name) => name.toLowerCase()));
    const added = additions(context, level, addKey).filter((each) => !gone.has(each.name.toLowerCase()));
    if (removed.length > 0) edits[remove] = removed;
    if (added.length > 0) edits[add] = added;
  }
  return edits;
}

function additions(context: MosnContext, level: Section<EditKey>, key: EditKey): Edit[] {
  return level.sections(key, { read: ['header', 'append'] }).flatMap((option): Edit[] => {
    const header = option.section('header', { read: ['key', 'value'] });
    if (header === null) return [];
    const name = header.required('key');
    const value = headerValue(context, header.text('value'), header.at('value'));
    if (name === '' || value === null) return [];
    const action = option.raw('append') === false ? 'overwrite' : 'append';
    return [context.origins.mark({ name, value, action } as const, header)];
  });
}

/** MOSN takes a value for a variable when it is nothing but `%name%`; any other "%" is itself. */
function headerValue(context: MosnContext, value: string, place: Place): string | null {
  const variable = /^%([^%]+)%$/.exec(value)?.[1];
  if (variable === undefined) return value.replaceAll('%', '%%');
  const native = Object.hasOwn(ownNames, variable) ? (ownNames[variable] as string) : `%${variable}%`;
  const problems = context.options.checkValue?.(native) ?? [];
  if (problems.length === 0) return native;
  context.report.unsupported(place, value, problems.join('; '));
  return null;
}

/** Variables of MOSN's that are operators here. */
const ownNames: Readonly<Record<string, string>> = {
  listener_name: '%LISTENER_NAME%',
  'x-mosn-host': '%REQ(:AUTHORITY)%',
  'x-mosn-method': '%REQ(:METHOD)%',
};
