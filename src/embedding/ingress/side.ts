import { type BuiltPipeline, buildPipeline } from '../../assembly/pipelines.ts';
import type { Runtime } from '../../assembly/runtime.ts';
import { HeddleError } from '../../core/base/errors.ts';
import { requireConfig } from '../../core/config/check.ts';
import type { EffectiveConfig, IngressConfig } from '../../core/contract/config.ts';
import type { ClusterRef } from '../../core/contract/route.ts';
import type { CallOptions } from '../../core/stream/start-call.ts';
import { ApplicationRouter, Ingress, IngressRouter, type ProtectedServer } from './ingress.ts';
import { type InboundTrace, withTrace } from './trace-scope.ts';

/** The ingress of one mesh: its pipeline as configured, and the servers behind it. */
export class IngressSide {
  readonly #runtime: Runtime;
  readonly #ref: (cluster: string) => ClusterRef;
  readonly #isClosed: () => boolean;
  #built: BuiltPipeline | null = null;
  #application: ApplicationRouter | null = null;
  #ingress: Ingress | null = null;

  /** @throws HeddleError ERR_CONFIG_INVALID */
  constructor(
    runtime: Runtime,
    ref: (cluster: string) => ClusterRef,
    isClosed: () => boolean,
    config: EffectiveConfig,
  ) {
    this.#runtime = runtime;
    this.#ref = ref;
    this.#isClosed = isClosed;
    this.#built = this.prepare(config);
  }

  /** Of the request that the running code serves; null outside of one. */
  get inbound(): InboundTrace | null {
    return this.#ingress === null ? null : this.#ingress.scope.current;
  }

  /** A call, with the trace of the request that it is made for. */
  traced(options: CallOptions): CallOptions {
    return this.#ingress === null ? options : withTrace(options, this.#ingress.scope.current);
  }

  /**
   * Builds what a configuration asks for; nothing changes until `commit`.
   * @throws HeddleError ERR_CONFIG_INVALID
   */
  prepare(config: EffectiveConfig): BuiltPipeline | null {
    if (config.ingress !== undefined) return this.#build(config.ingress);
    return this.#ingress === null ? null : this.#buildDefault();
  }

  commit(built: BuiltPipeline | null): void {
    this.#built = built;
  }

  /** @throws HeddleError ERR_OPTION_INVALID */
  protect(server: ProtectedServer): () => void {
    this.#built ??= this.#buildDefault();
    this.#ingress ??= new Ingress({
      core: this.#runtime.proxy,
      isClosed: this.#isClosed,
      pipeline: () => (this.#built as BuiltPipeline).pipeline,
    });
    return this.#ingress.protect(server);
  }

  #buildDefault(): BuiltPipeline {
    const { ingress } = requireConfig({ ingress: {} }, this.#runtime.extensions);
    return this.#build(ingress as IngressConfig);
  }

  #build(config: IngressConfig): BuiltPipeline {
    this.#application ??= new ApplicationRouter(this.#runtime.metrics);
    const application = this.#application;
    const hasHosts = config.virtualHosts.length > 0;
    const built = buildPipeline(
      'ingress',
      config,
      this.#runtime,
      this.#ref,
      this.#built,
      hasHosts ? null : application,
    );
    const { pipeline } = built;
    const refused = pipeline.filters.all.find(({ filter }) => filter.onResponseBody !== undefined);
    if (refused !== undefined) {
      const detail = `ingress: the filter ${JSON.stringify(refused.name)}, configured so, looks at the bodies of answers; they do not pass the mesh here`;
      throw new HeddleError('ERR_CONFIG_INVALID', detail);
    }
    if (!hasHosts) return built;
    return { ...built, pipeline: { ...pipeline, router: new IngressRouter(pipeline.router, application) } };
  }
}
