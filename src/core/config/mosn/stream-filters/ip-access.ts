import { parseIpBlock } from '../../../base/ip-address.ts';
import type { Place } from '../report.ts';
import { type Keys, Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';

const keys: Keys<'default_action' | 'header' | 'ips'> = { read: ['default_action', 'header', 'ips'] };

interface Entry {
  readonly address: string;
  readonly isAllowed: boolean;
  readonly place: Place;
}

/**
 * MOSN's `ip_access`: lists that are asked in order, then the default. Here whoever is denied is denied, so a list that
 * lets somebody pass whom a later list denies is refused.
 */
export const ipAccess: FilterConversion = {
  name: 'ip-access',
  create({ report, origins }, config, place) {
    const given = Section.open(report, place, config ?? {}, keys);
    if (given === null) return null;
    if (given.has('header')) {
      report.refuse(
        given.at('header'),
        given.text('header'),
        'anybody can write a header; the filter forwarded-headers tells the client behind trusted proxies',
      );
    }
    const entries = entriesOf(given);
    refuseExceptions(given, entries);
    const allow = entries.filter((each) => each.isAllowed).map((each) => each.address);
    const deny = entries.filter((each) => !each.isAllowed).map((each) => each.address);
    const isOpen = given.text('default_action') === 'allow';
    if (isOpen && deny.length === 0) return null;
    if (isOpen) return { config: origins.mark({ deny }, given) };
    if (allow.length > 0) return { config: origins.mark({ allow, deny }, given) };
    return { config: origins.mark({ deny: ['0.0.0.0/0', '::/0', 'unix', 'in-process'] }, given) };
  },
};

function entriesOf(given: Section<'default_action' | 'ips'>): Entry[] {
  const action = given.text('default_action');
  if (action !== '' && action !== 'allow' && action !== 'deny') {
    given.report.problem(given.at('default_action'), action, '"allow" or "deny"', ['allow', 'deny']);
  }
  return given.sections('ips', { read: ['action', 'addrs'] }).flatMap((list) => {
    const what = list.required('action');
    if (what !== 'allow' && what !== 'deny') {
      given.report.problem(list.at('action'), what, '"allow" or "deny"', ['allow', 'deny']);
    }
    return list.texts('addrs').flatMap((address) => {
      if (parseIpBlock(address) !== null)
        return { address, isAllowed: what === 'allow', place: list.at('addrs') };
      given.report.problem(list.at('addrs'), address, 'an IP address or a block such as 10.0.0.0/8');
      return [];
    });
  });
}

function refuseExceptions(given: Section, entries: readonly Entry[]): void {
  entries.forEach((allowed, index) => {
    if (!allowed.isAllowed) return;
    const later = entries
      .slice(index + 1)
      .find((each) => !each.isAllowed && overlap(each.address, allowed.address));
    if (later === undefined) return;
    const why = `${later.address} is denied further down, and who is denied anywhere is denied here`;
    given.report.refuse(allowed.place, allowed.address, why);
  });
}

function overlap(a: string, b: string): boolean {
  const first = parseIpBlock(a);
  const second = parseIpBlock(b);
  if (first === null || second === null || first.bytes.length !== second.bytes.length) return false;
  const bits = Math.min(first.prefix, second.prefix);
  const bitOf = (bytes: Uint8Array, bit: number): number =>
    ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
  for (let bit = 0; bit < bits; bit++) if (bitOf(first.bytes, bit) !== bitOf(second.bytes, bit)) return false;
  return true;
}
