import * as v from 'valibot';
import { Admission, type NetworkFilterDefinition } from '../../core/contract/network-filter.ts';
import { AccessList, addressList } from '../../core/filters/ip-access.ts';
import { networkCounters } from './count.ts';

const config = v.pipe(
  v.strictObject({
    /** Who may connect; with this list nobody else may (none: everybody who is not denied). */
    allow: addressList,
    /** Who may not connect, even if allowed (none). */
    deny: addressList,
  }),
  v.check(
    (lists) => lists.allow.length + lists.deny.length > 0,
    'at least one of allow and deny must name somebody',
  ),
);
export type NetworkIpAccessConfig = v.InferOutput<typeof config>;

/**
 * Closes connections by the address of the client before a byte is read: the socket's, or behind the filter
 * proxy-protocol the one that a trusted header names.
 *
 * @example
 * networkFilters: [{ name: ip-access, config: { allow: [10.0.0.0/8] } }]
 */
export const networkIpAccess: NetworkFilterDefinition<NetworkIpAccessConfig> = {
  name: 'ip-access',
  layer: 'network',
  config,
  isSecurity: true,
  create(own, context) {
    const list = new AccessList(own);
    const count = networkCounters(context, 'ip_access', ['allowed', 'denied']);
    return {
      admit(connection) {
        const mayPass = list.mayPass(connection.peer.address);
        count(mayPass ? 'allowed' : 'denied');
        return mayPass ? Admission.pass : Admission.close;
      },
    };
  },
};
