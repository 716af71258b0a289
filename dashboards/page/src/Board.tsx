// One dashboard, drawn by Perses.
import { ChartsProvider, generateChartsTheme, SnackbarProvider } from '@perses-dev/components';
import { type GlobalDatasourceResource } from '@perses-dev/core';
import { type DatasourceApi, ViewDashboard } from '@perses-dev/dashboards';
import { PluginRegistry, ValidationProvider } from '@perses-dev/plugin-system';
import { useTheme } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useParams } from 'react-router-dom';
import { pluginLoader } from './plugins';
import { dashboard, prometheus } from './server';
import { Failure, Waiting, useTitle } from './parts';

// The one data source: the Prometheus behind this page.
function source(interval: string): DatasourceApi {
  const ds: GlobalDatasourceResource = {
    kind: 'GlobalDatasource',
    metadata: { name: 'prometheus' },
    spec: {
      default: true,
      plugin: { kind: 'PrometheusDatasource', spec: { directUrl: prometheus, scrapeInterval: interval } },
    },
  };
  return {
    getDatasource: () => Promise.resolve(undefined),
    getGlobalDatasource: () => Promise.resolve(ds),
    listDatasources: () => Promise.resolve([]),
    listGlobalDatasources: () => Promise.resolve([ds]),
    buildProxyUrl: () => prometheus,
  };
}

export default function Board({ interval }: { interval: string }) {
  const { name = '' } = useParams();
  const theme = useTheme();
  const chartsTheme = useMemo(() => generateChartsTheme(theme, {}), [theme]);
  const api = useMemo(() => source(interval), [interval]);
  const { data, error } = useQuery(['dashboard', name], () => dashboard(name), { staleTime: Infinity });
  const title = data?.spec.display?.name ?? name;
  useTitle(title);
  if (error) {
    return <Failure what={`The dashboard ${name} could not be had`} error={error} />;
  }
  if (!data) {
    return <Waiting />;
  }
  return (
    <ChartsProvider chartsTheme={chartsTheme} enablePinning={false} enableSyncGrouping={false}>
      <SnackbarProvider anchorOrigin={{ vertical: 'bottom', horizontal: 'center' }}>
        <PluginRegistry
          pluginLoader={pluginLoader}
          defaultPluginKinds={{ Panel: 'TimeSeriesChart', TimeSeriesQuery: 'PrometheusTimeSeriesQuery' }}
        >
          <ValidationProvider>
            <ViewDashboard
              key={name}
              dashboardResource={data}
              datasourceApi={api}
              dashboardTitleComponent={<h1>{title}</h1>}
              isReadonly
              isVariableEnabled
              isDatasourceEnabled={false}
              isLeavingConfirmDialogEnabled={false}
            />
          </ValidationProvider>
        </PluginRegistry>
      </SnackbarProvider>
    </ChartsProvider>
  );
}
