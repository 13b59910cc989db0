import type { MosnContext } from '../context.ts';
import type { Place } from '../report.ts';

/** How a stream filter of MOSN's becomes one of ours. */
export interface FilterConversion {
  /** The native filter. */
  readonly name: string;
  /** MOSN reads `per_filter_config` for it. */
  readonly perRoute?: boolean;
  /** Null: it would do nothing. */
  create(context: MosnContext, config: unknown, place: Place): { readonly config: object } | null;
}
