import type { AdminSection } from '../core/contract/state.ts';
import type { Monitor } from './monitor.ts';
import { ProfilePuller, profileSubjects } from './profile-puller.ts';

/** `/debug/pprof/*` of an admin endpoint, for pullers; only to those who may see everything. */
export function monitorSections(monitor: Monitor): AdminSection[] {
  const puller = new ProfilePuller(monitor);
  return profileSubjects.map(({ name, what }) => ({
    path: `debug/pprof/${name}`,
    summary: `${what}, sampled now for "go tool pprof"; ?seconds=5`,
    isPrivate: true,
    read: async (query) => {
      const { status, body, isProfile } = await puller.pull(name, query);
      return { status, body, ...(isProfile && { contentType: 'application/octet-stream' }) };
    },
  }));
}
