import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { deadAddress, eventually } from '../../mesh/support.ts';
import type { Scope } from './check.ts';
import { requireProgram } from './execute.ts';

/** nginx in the foreground that serves the files under `root`; ends with the scope. @returns its address */
export async function startNginx(scope: Scope, place: string, root: string): Promise<string> {
  const nginx = requireProgram('nginx', 'apt-get install nginx');
  const address = await deadAddress();
  const prefix = join(place, 'nginx');
  await mkdir(prefix);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${prefix}/${name};`)
    .join('\n');
  const config = `
daemon off;
worker_processes 1;
pid ${prefix}/pid;
error_log ${prefix}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  default_type application/octet-stream;
  types { text/html html; }
${temporary}
  server { listen ${address}; root ${root}; autoindex on; }
}
`;
  const file = join(prefix, 'nginx.conf');
  await writeFile(file, config);
  const child = spawn(nginx, ['-c', file, '-p', prefix], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  scope.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  await eventually(() => answers(address), 'nginx listens');
  return address;
}

function answers(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  return new Promise((resolve) => {
    const finish = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
