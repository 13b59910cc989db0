import { createKeepAlive } from '../transport/system-clock.ts';

/** Keeps the process until `work` is over: neither connections to registries nor the clock's timers do. */
export async function holdOpen<Result>(work: Promise<Result>): Promise<Result> {
  const keepAlive = createKeepAlive();
  keepAlive.ref();
  try {
    return await work;
  } finally {
    keepAlive.close();
  }
}
