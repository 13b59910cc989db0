import { Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';

/** MOSN's `header_to_metadata`: headers choose the subset. */
export const headerToMetadata: FilterConversion = {
  name: 'header-to-metadata',
  create({ report, origins }, config, place) {
    const given = Section.open(report, place, config ?? {}, { read: ['request_rules'] });
    if (given === null) return null;
    const pair = { read: ['key', 'value'] } as const;
    const rules = given
      .sections('request_rules', { read: ['header', 'on_header_present', 'on_header_missing', 'remove'] })
      .map((rule) => {
        const present = rule.section('on_header_present', pair);
        const missing = rule.section('on_header_missing', pair);
        const value = present?.text('value') ?? '';
        const made = {
          header: rule.required('header'),
          ...(present === null
            ? {}
            : { onPresent: { key: present.required('key'), ...(value === '' ? {} : { value }) } }),
          ...(missing === null
            ? {}
            : { onMissing: { key: missing.required('key'), value: missing.text('value') } }),
          remove: rule.flag('remove'),
        };
        return origins.mark(made, rule);
      });
    return rules.length === 0 ? null : { config: origins.mark({ request: rules }, given) };
  },
};
