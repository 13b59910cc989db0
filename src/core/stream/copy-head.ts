import { HeadView } from '../base/head-view.ts';

/**
 * Makes `to` say what `from` says, to be changed by itself from then on. Read bytes are shared, so `from` must own them
 * (`retain`); added fields are copied.
 */
export function copyHead(from: HeadView, to: HeadView): void {
  for (const key of plainFields) (to as unknown as Fields)[key] = (from as unknown as Fields)[key];
  to.fields = from.fields.slice(0, from.count * 4);
  to.extraFields = from.extraFields.slice(0, from.extraCount * 4);
  to.extra = Buffer.from(from.extra.subarray(0, from.extraLength));
}

type Fields = Record<string, unknown>;
const copied = new Set(['fields', 'extraFields', 'extra']);
/** Every other field is a number, a text, a flag or the buffer that is shared. */
const plainFields: readonly string[] = Object.keys(new HeadView()).filter((key) => !copied.has(key));
