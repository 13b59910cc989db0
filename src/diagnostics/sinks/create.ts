import type { Sink } from '../../core/contract/sink.ts';
import { commandSink } from './command.ts';
import type { SinkConfig } from './config.ts';
import { directorySink } from './directory.ts';
import { httpSink } from './http.ts';
import { otlpSink } from './otlp.ts';
import { pyroscopeSink } from './pyroscope.ts';

/** Every built-in sink: one line each. */
export function createSink(config: SinkConfig, service: string): Sink {
  switch (config.type) {
    case 'directory':
      return directorySink(config);
    case 'http':
      return httpSink(config);
    case 'pyroscope':
      return pyroscopeSink(config, service);
    case 'otlp':
      return otlpSink(config, service);
    case 'command':
      return commandSink(config);
  }
}
