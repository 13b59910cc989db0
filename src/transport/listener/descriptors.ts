import { readdirSync, readFileSync } from 'node:fs';

/** How many file descriptors the process may still open. */
export interface DescriptorProbe {
  free(): number;
}

/**
 * Linux: the soft limit less what is open. When descriptors run out, libuv accepts and closes connections without a
 * word to JavaScript (its "EMFILE trick"), so an accept error never tells; looking does. Elsewhere: unlimited.
 */
export function descriptorProbe(): DescriptorProbe {
  const limit = softLimit();
  return { free: () => limit - openDescriptors() };
}

function softLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? Number.POSITIVE_INFINITY : Number(line[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // The listing itself needs a descriptor: not even that one is left.
    return Number.POSITIVE_INFINITY;
  }
}

const reservedDescriptors = 32;
const closestLook = 8;

/** Looks ever more often the fewer descriptors are left: a listing costs, so it is made after half of them were used. */
export class DescriptorGuard {
  readonly #probe: DescriptorProbe;
  #acceptsUntilLook = 0;

  constructor(probe: DescriptorProbe) {
    this.#probe = probe;
  }

  /** Call once per accepted connection. True: too few are left, stop accepting. */
  isExhausted(): boolean {
    if (this.#acceptsUntilLook-- > 0) return false;
    return !this.hasRoom();
  }

  hasRoom(): boolean {
    const free = this.#probe.free() - reservedDescriptors;
    this.#acceptsUntilLook = Math.max(closestLook, Math.floor(free / 2));
    return free > 0;
  }
}
