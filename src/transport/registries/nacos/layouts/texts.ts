import type { MappingSource, RuleSource, SourceWatcher } from '../../../../core/contract/service-source.ts';
import type { Configs } from '../client/configs.ts';

/** Group of the texts that say which applications provide an interface; the data id is the interface. */
export const mappingGroup = 'mapping';
const ruleGroup = 'DUBBO_SERVICEDISCOVERY_MIGRATION';
/** Applications of one interface; more are a mistake of somebody. */
const maxApplications = 10_000;

function watchText(
  configs: Configs,
  dataId: string,
  group: string,
  watcher: SourceWatcher<string>,
  itemsOf: (text: string) => string[],
): () => void {
  return configs.watch(dataId, group, {
    onText: (text) => watcher.change({ full: true, put: itemsOf(text), removed: [] }),
    onTrouble: (reason) => watcher.trouble(reason),
  });
}

export const mappingTexts = (configs: Configs): MappingSource => ({
  watch: (interfaceName, watcher) => watchText(configs, interfaceName, mappingGroup, watcher, namesOf),
});

export const ruleTexts = (configs: Configs): RuleSource => ({
  watch: (application, watcher) =>
    watchText(configs, `${application}.migration`, ruleGroup, watcher, (text) =>
      text.trim() === '' ? [] : [text],
    ),
});

export function namesOf(text: string): string[] {
  const names = text.split(',').map((each) => each.trim());
  return [...new Set(names.filter((each) => each !== ''))].slice(0, maxApplications);
}
