import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { mosn, mosnInstall } from '../../../bench/peers/mosn.ts';
import { eventually } from '../../mesh/support.ts';
import { NotInstalled } from '../kit/check.ts';
import { requireProgram } from '../kit/execute.ts';

/** The MOSN binary of the benches, built from its Go module where it is not yet. @throws NotInstalled without Go */
export async function requireMosn(): Promise<{ readonly path: string; readonly version: string }> {
  let found = await mosn.find();
  if (found.version === null) {
    requireProgram('go', 'install Go; MOSN is built from the module mosn.io/mosn');
    await mosnInstall.install?.();
    found = await mosn.find();
  }
  if (found.version === null) throw new NotInstalled('MOSN', 'npm run bench -- setup');
  return { path: found.path, version: found.version };
}

/** Runs MOSN on the file until the returned function is called. */
export async function startMosn(path: string, file: string, address: string): Promise<() => Promise<void>> {
  const child = spawn(path, ['start', '-c', file, '-l', 'error'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const ended = exited.then(() => {
    throw new Error('MOSN ended at once');
  });
  ended.catch(() => {});
  try {
    await Promise.race([eventually(() => answers(address), 'MOSN listens'), ended]);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return stop;
}

function answers(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  return new Promise((resolve) => {
    const finish = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
