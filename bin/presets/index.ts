import { gateway } from './gateway.ts';
import { inProcess } from './in-process.ts';
import { sidecar } from './sidecar.ts';

/** Commented configurations to begin with, by name. */
export const presets: Readonly<Record<string, string>> = { sidecar, gateway, 'in-process': inProcess };
