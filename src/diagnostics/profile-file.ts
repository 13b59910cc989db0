import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import {
  decodePprof,
  encodeOtlp,
  encodePprof,
  fromCpuProfile,
  fromHeapProfile,
  type RawCpuProfile,
  type RawHeapProfile,
  symbolise,
  toCpuProfile,
  toFolded,
  toOtlpJson,
  toSpeedscope,
} from './pprof/index.ts';
import type { Profile } from './profile-model.ts';
import { coroutinesOf } from './snapshot/index.ts';

export const profileFormats = ['pprof', 'folded', 'otlp', 'otlp-json', 'speedscope', 'cpuprofile'] as const;
export type ProfileFormat = (typeof profileFormats)[number];

/**
 * Reads a profile of any format that V8 or a pprof producer writes: pprof, `.cpuprofile`, `.heapprofile`, and a
 * `.heapsnapshot` as its pending coroutines. What V8 wrote is symbolised with the source maps found on disk.
 * @throws HeddleError ERR_PROFILE_INVALID, ERR_SNAPSHOT_INVALID
 */
export async function readProfileFile(path: string): Promise<Profile> {
  if (path.endsWith('.heapsnapshot')) return coroutinesOf(path);
  const bytes = await readFile(path).catch((cause: unknown) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const detail = isMissing ? `there is no file ${path}` : `${path}: ${messageOf(cause)}`;
    throw new HeddleError('ERR_PROFILE_INVALID', detail, { cause });
  });
  if (bytes[0] !== 0x7b) return decodePprof(bytes, path);
  return symbolise(fromV8Json(bytes.toString('utf8'), path));
}

function fromV8Json(text: string, path: string): Profile {
  let raw: Partial<RawCpuProfile & RawHeapProfile>;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new HeddleError('ERR_PROFILE_INVALID', `${path} is neither a pprof file nor JSON`, { cause });
  }
  const comments = [basename(path)];
  if (Array.isArray(raw.nodes))
    return fromCpuProfile(raw as RawCpuProfile, { kind: 'cpu', startMs: 0, comments });
  if (raw.head !== undefined)
    return fromHeapProfile(raw as RawHeapProfile, { kind: 'heap', startMs: 0, comments });
  throw new HeddleError('ERR_PROFILE_INVALID', `${path} is JSON, but no CPU or heap profile`);
}

/**
 * Writes a profile in another format; `name` is its title where the format has one.
 * @throws HeddleError ERR_PROFILE_INVALID for a format that cannot hold what was measured.
 */
export function convertProfile(profile: Profile, format: ProfileFormat, name: string): Uint8Array | string {
  const resource = { 'service.name': profile.labels['service'] ?? 'unknown' };
  switch (format) {
    case 'pprof':
      return encodePprof(profile);
    case 'folded':
      return toFolded(profile);
    case 'otlp':
      return encodeOtlp([profile], resource);
    case 'otlp-json':
      return `${JSON.stringify(toOtlpJson([profile], resource))}\n`;
    case 'speedscope':
      return `${JSON.stringify(toSpeedscope(profile, name))}\n`;
    case 'cpuprofile':
      checkTimes(profile);
      return `${JSON.stringify(toCpuProfile(profile))}\n`;
  }
}

function checkTimes({ kind, sampleTypes, defaultSampleType }: Profile): void {
  const unit = sampleTypes[defaultSampleType]?.unit;
  if (unit === 'nanoseconds') return;
  throw new HeddleError('ERR_PROFILE_INVALID', `a cpuprofile holds times, and this ${kind} profile ${unit}`);
}
