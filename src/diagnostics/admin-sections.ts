import type { AdminSection } from '../core/contract/state.ts';
import type { Monitor } from './monitor.ts';
import { ProfilePuller, profileNames } from './profile-puller.ts';

/** `/debug/pprof/*` of an admin endpoint, for pullers; only to those who may see everything. */
export function monitorSections(monitor: Monitor): AdminSection[] {
  const puller = new ProfilePuller(monitor);
  return profileNames.map((name) => ({
    path: `debug/pprof/${name}`,
    summary: `a ${name} profile of this process taken now, for "go tool pprof"; ?seconds=N`,
    isPrivate: true,
    read: async (query) => {
      const { status, body, isProfile } = await puller.pull(name, query);
      return { status, body, ...(isProfile && { contentType: 'application/octet-stream' }) };
    },
  }));
}
