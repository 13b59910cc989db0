import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, Place } from '../harness/contender.ts';
import { findProgram } from './find.ts';
import { writeConfig } from './template.ts';

const find = (): ReturnType<typeof findProgram> =>
  findProgram({
    program: 'haproxy',
    versionArgs: ['-v'],
    pattern: /version (\d[\d.]*)/i,
    hint: 'install it: apt-get install haproxy',
  });

const command = (place: Place, config: string): { command: string; args: string[] } => ({
  command: place.path,
  args: ['-db', '-f', config],
});

/** haproxy that only forwards. */
export const haproxy: Contender = {
  name: 'haproxy',
  find,
  launch: (place) => command(place, writeConfig('haproxy/http1.cfg', place)),
};

/** haproxy that passes bytes on. */
export const haproxyTcp: Contender = {
  name: 'haproxy tcp',
  find,
  launch: (place) => command(place, writeConfig('haproxy/tcp.cfg', place)),
};

/** haproxy doing what heddle does with ten filters. The map sends the 200 hosts to 8 backends of the same server. */
export const haproxyFull: Contender = {
  name: 'haproxy full',
  find,
  work: {
    request: ['x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-heddle-bench', 'x-tenant-group'],
    response: ['access-control-allow-origin', 'x-served-by'],
    log: 'access.log',
  },
  launch(place) {
    const names = Array.from({ length: 8 }, (_, index) => `service${index}`);
    const lines = place.hosts.map((host, index) => `${host} ${names[index % names.length]}`);
    writeFileSync(join(place.directory, 'hosts.map'), `${lines.join('\n')}\n`);
    const backends = names.map((name) => `backend ${name}\n  server one 127.0.0.1:${place.backendPort}\n`);
    const config = writeConfig('haproxy/http1-full.cfg', place, { backends: backends.join('\n') });
    return { ...command(place, config), log: join(place.directory, 'access.log') };
  },
};
