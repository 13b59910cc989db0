/** Whoever takes part in a comparison: how it is found, how it is started, and what it must be seen doing. */
import type { LaunchSpec } from './children.ts';

export type Availability =
  | { readonly version: string; readonly path: string }
  | { readonly version: null; readonly reason: string };

/** Where a contender is to run. */
export interface Place {
  /** The port to listen on, on 127.0.0.1. */
  readonly port: number;
  readonly backendPort: number;
  /** A second free port, for a contender whose statistics need one. */
  readonly adminPort: number;
  /** Its own directory, for configuration, logs and pid files. */
  readonly directory: string;
  /** The host names that requests carry. */
  readonly hosts: readonly string[];
  /** What `find` gave as path. */
  readonly path: string;
}

/** What the answer and the forwarded request must carry, so that nobody is measured without doing the work. */
export interface Work {
  /** Header names that the backend must receive. */
  readonly request?: readonly string[];
  /** Header names that the client must receive. */
  readonly response?: readonly string[];
  /** A file in its directory that must grow with the requests. */
  readonly log?: string;
}

export interface Contender {
  readonly name: string;
  /** Machine code from its first request on: before it counts, a second of load opens its connections. */
  readonly isCompiled?: boolean;
  readonly work?: Work;
  find(): Promise<Availability>;
  /** Writes its configuration and says what to run. */
  launch(place: Place): Promise<Omit<LaunchSpec, 'core'>> | Omit<LaunchSpec, 'core'>;
  /** After the rounds: what it did not do although it should have. */
  verify?(place: Place): Promise<readonly string[]>;
}
