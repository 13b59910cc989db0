import type { Acl } from '../wire/records.ts';

const all = 31;
const read = 1;

/** Who may do what with nodes that are created: anyone everything | the creator alone | the creator, and anyone reads. */
export const aclNames = ['open', 'creator', 'creatorAndReaders'] as const;
export type AclName = (typeof aclNames)[number];

/** `auth` with an empty id is who asks, as the server knows him. */
export function aclOf(name: AclName): readonly Acl[] {
  const creator: Acl = { permissions: all, scheme: 'auth', id: '' };
  if (name === 'open') return [{ permissions: all, scheme: 'world', id: 'anyone' }];
  return name === 'creator' ? [creator] : [creator, { permissions: read, scheme: 'world', id: 'anyone' }];
}
