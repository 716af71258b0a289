// What the server answers. Addresses are relative to the page's, so that it works
// below any path; there are no other addresses, and none is taken from the query.
import type { DashboardResource } from '@perses-dev/core';

/** root is the folder of the page, prometheus the address that /api/v1 is below. */
export const root = new URL('.', location.href).pathname;
export const start = new URL('..', new URL(root, location.origin)).href;
export const prometheus = start.replace(/\/$/, '');

export interface Entry {
  name: string;
  title: string;
  description: string;
}

export interface Listing {
  interval: string;
  dashboards: Entry[];
}

export interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
  activeAt: string;
  value: string;
}

export interface Rule {
  type: 'alerting' | 'recording';
  name: string;
  query: string;
  health: string;
  lastError?: string;
  labels?: Record<string, string>;
  // Of alerting rules.
  state?: 'inactive' | 'pending' | 'firing';
  duration?: number;
  annotations?: Record<string, string>;
  alerts?: Alert[];
}

export interface Group {
  name: string;
  interval: number;
  evaluationTime: number;
  rules: Rule[];
}

async function get<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  if (!answer.ok) {
    throw new Error(`${answer.status} ${answer.statusText}`);
  }
  return answer.json();
}

export const listing = () => get<Listing>(`${root}data/list.json`);

export const dashboard = (name: string) => get<DashboardResource>(`${root}data/${encodeURIComponent(name)}.json`);

export const groups = async () =>
  (await get<{ data: { groups: Group[] } }>(`${prometheus}/api/v1/rules`)).data.groups;

/** local is an address if it is one that a link may have, else nothing. */
export function local(address: string | undefined): string | undefined {
  return address && (/^https?:\/\//.test(address) || /^\/(?![/\\])/.test(address)) ? address : undefined;
}
