import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Capture } from '../../core/contract/sink.ts';
import { listCaptures } from '../capture-list.ts';
import { readProfileFile } from '../profile-file.ts';
import type { Profile, SampleType } from '../profile-model.ts';
import { differentialTree, type FlameNode, flameTree } from './flame-tree.ts';

const profileFile = /\.(pb\.gz|pprof|cpuprofile|heapprofile|heapsnapshot)$/;
/** The links `latest-cpu.pb.gz` name what is listed already. */
const isProfile = (name: string): boolean => profileFile.test(name) && !/^latest-[\w-]+\.pb\.gz$/.test(name);
/** Profiles kept decoded, the latest used last. */
const maxKept = 8;

export interface ViewerIndex {
  readonly title: string;
  /** Without `samples`: those come with one capture. */
  readonly captures: readonly Capture[];
  /** Every profile file, also those that belong to no capture. */
  readonly profiles: readonly string[];
}

export interface ProfileView {
  readonly kind: string;
  readonly types: readonly SampleType[];
  readonly type: number;
  readonly durationMs: number;
  readonly comments: readonly string[];
  readonly tree: FlameNode;
}

/** The files that one viewer shows: those of a directory, or a single one. Names are looked up, never paths. */
export class ViewerFiles {
  readonly #directory: string;
  readonly #only: string | undefined;
  readonly #kept = new Map<string, Profile>();

  private constructor(directory: string, only: string | undefined) {
    this.#directory = directory;
    this.#only = only;
  }

  static async open(path: string): Promise<ViewerFiles> {
    const found = await stat(path).catch((cause: unknown) => {
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      const detail = isMissing ? `there is no file or directory ${path}` : messageOf(cause);
      throw new HeddleError('ERR_PROFILE_INVALID', detail, { cause });
    });
    return found.isDirectory()
      ? new ViewerFiles(path, undefined)
      : new ViewerFiles(dirname(path), basename(path));
  }

  async index(): Promise<ViewerIndex> {
    const names = await this.#names();
    const captures = this.#only === undefined ? await listCaptures(this.#directory) : [];
    return {
      title: this.#only ?? this.#directory,
      captures: captures.map(({ ...capture }) => ({ ...capture, samples: undefined })),
      profiles: this.#only === undefined ? names.filter(isProfile) : names,
    };
  }

  /** A capture with the samples that led to it. */
  async capture(id: string): Promise<Capture | undefined> {
    return (await listCaptures(this.#directory)).find((capture) => capture.id === id);
  }

  async profile(name: string, sampleType: number): Promise<ProfileView | undefined> {
    const profile = await this.#read(name);
    if (profile === undefined) return undefined;
    const type = profile.sampleTypes[sampleType] === undefined ? profile.defaultSampleType : sampleType;
    const { kind, sampleTypes, durationMs, comments } = profile;
    return { kind, types: sampleTypes, type, durationMs, comments, tree: flameTree(profile, type) };
  }

  async difference(baseName: string, name: string): Promise<ProfileView | undefined> {
    const [base, profile] = [await this.#read(baseName), await this.#read(name)];
    if (base === undefined || profile === undefined) return undefined;
    const { kind, sampleTypes: types, durationMs, defaultSampleType: type } = profile;
    return { kind, types, type, durationMs, comments: [], tree: differentialTree(base, profile) };
  }

  async bytes(name: string): Promise<Uint8Array | undefined> {
    return (await this.#has(name)) ? readFile(join(this.#directory, name)) : undefined;
  }

  async #read(name: string): Promise<Profile | undefined> {
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    if (!(await this.#has(name))) return undefined;
    const profile = await readProfileFile(join(this.#directory, name));
    this.#kept.set(name, profile);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
    return profile;
  }

  async #has(name: string): Promise<boolean> {
    return (await this.#names()).includes(name);
  }

  async #names(): Promise<string[]> {
    return this.#only === undefined ? (await readdir(this.#directory)).sort() : [this.#only];
  }
}
