// Perses' plugins that the dashboards use; each is fetched when a panel needs it.
import { dynamicImportPluginLoader, type PluginModuleResource } from '@perses-dev/plugin-system';
import bar from '@perses-dev/bar-chart-plugin/package.json';
import gauge from '@perses-dev/gauge-chart-plugin/package.json';
import heatmap from '@perses-dev/heatmap-chart-plugin/package.json';
import markdown from '@perses-dev/markdown-plugin/package.json';
import prometheus from '@perses-dev/prometheus-plugin/package.json';
import stat from '@perses-dev/stat-chart-plugin/package.json';
import table from '@perses-dev/table-plugin/package.json';
import timeseries from '@perses-dev/timeseries-chart-plugin/package.json';

interface Package {
  name: string;
  version: string;
  perses: unknown;
}

const plugin = (of: Package, importPlugin: () => Promise<unknown>) => ({
  resource: {
    kind: 'PluginModule',
    metadata: { name: of.name, version: of.version },
    spec: of.perses,
  } as PluginModuleResource,
  importPlugin,
});

export const pluginLoader = dynamicImportPluginLoader([
  plugin(bar, () => import('@perses-dev/bar-chart-plugin')),
  plugin(gauge, () => import('@perses-dev/gauge-chart-plugin')),
  plugin(heatmap, () => import('@perses-dev/heatmap-chart-plugin')),
  plugin(markdown, () => import('@perses-dev/markdown-plugin')),
  plugin(prometheus, () => import('@perses-dev/prometheus-plugin')),
  plugin(stat, () => import('@perses-dev/stat-chart-plugin')),
  plugin(table, () => import('@perses-dev/table-plugin')),
  plugin(timeseries, () => import('@perses-dev/timeseries-chart-plugin')),
]);
