import { type Keys, Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';

// The blank at the end of the first key is MOSN's own: it reads that one only, documents the other, and limits nothing
// where the documented one is used. Both limit here.
const keys: Keys<'max_entity_size ' | 'max_entity_size' | 'http_status'> = {
  read: ['max_entity_size ', 'max_entity_size', 'http_status'],
};

/** MOSN's `payload_limit`: the largest request body. */
export const payloadLimit: FilterConversion = {
  name: 'payload-limit',
  perRoute: true,
  create({ report, origins }, config, place) {
    const given = Section.open(report, place, config ?? {}, keys);
    if (given === null) return null;
    const documented = given.count('max_entity_size');
    const maxBytes = given.count('max_entity_size ') ?? documented;
    if (maxBytes === undefined) return null;
    if (documented !== undefined) {
      report.notice(
        given.at('max_entity_size'),
        documented,
        'limits here; MOSN itself reads "max_entity_size " only',
      );
    }
    const status = given.count('http_status');
    const made = { maxBytes, ...(status === undefined ? {} : { status }) };
    return { config: origins.mark(made, given, { status: given.at('http_status') }) };
  },
};
