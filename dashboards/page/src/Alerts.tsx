// What fires, pages first, and all rules with their state.
import { useQuery } from '@tanstack/react-query';
import { groups, local, type Alert, type Group, type Rule } from './server';
import { Failure, Waiting, useTitle } from './parts';

const severities = ['page', 'ticket', 'event'];

const rank = (a: Alert) => {
  const at = severities.indexOf(a.labels.severity ?? '');
  return at < 0 ? severities.length : at;
};

/** order puts what fires before what is pending, then by severity, the newest first. */
function order(a: Alert, b: Alert): number {
  return (
    Number(a.state === 'pending') - Number(b.state === 'pending') ||
    rank(a) - rank(b) ||
    b.activeAt.localeCompare(a.activeAt)
  );
}

function since(at: string): string {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 60000));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`;
  return `${Math.round(minutes / 60 / 24)} days`;
}

function Links({ of }: { of: Record<string, string> | undefined }) {
  const runbook = local(of?.runbook_url);
  const board = local(of?.dashboard_url);
  return (
    <>
      {runbook && <a href={runbook}>runbook</a>}
      {runbook && board && ' · '}
      {board && <a href={board}>dashboard</a>}
    </>
  );
}

function Firing({ alerts }: { alerts: Alert[] }) {
  if (alerts.length === 0) {
    return <p>Nothing fires and nothing is pending.</p>;
  }
  return (
    <ul className="alerts">
      {alerts.map((a) => (
        <li key={JSON.stringify(a.labels)} data-severity={a.labels.severity} data-state={a.state}>
          <p>
            <span className="severity">{a.labels.severity ?? 'none'}</span> <b>{a.labels.alertname}</b>{' '}
            <small>
              {a.state === 'pending' ? 'pending' : 'firing'} for {since(a.activeAt)}
            </small>{' '}
            <Links of={a.annotations} />
          </p>
          {a.annotations.summary && <p>{a.annotations.summary}</p>}
          {a.annotations.description && <p className="soft">{a.annotations.description}</p>}
        </li>
      ))}
    </ul>
  );
}

function Rows({ rules }: { rules: Rule[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">rule</th>
          <th scope="col">state</th>
          <th scope="col">severity</th>
          <th scope="col">expression</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((r, i) => (
          <tr key={i}>
            <th scope="row">
              {r.name}
              {r.annotations && (
                <small>
                  {' '}
                  <Links of={{ runbook_url: r.annotations.runbook_url ?? '' }} />
                </small>
              )}
            </th>
            <td className={r.health === 'err' ? 'failure' : r.state}>{r.health === 'err' ? r.lastError : (r.state ?? 'recorded')}</td>
            <td>{r.labels?.severity}</td>
            <td>
              <code>{r.query}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

function GroupOf({ group }: { group: Group }) {
  const failed = group.rules.filter((r) => r.health === 'err').length;
  return (
    <details className="group">
      <summary>
        <b>{group.name}</b>{' '}
        <small>
          {count(group.rules.length, 'rule')}, each {group.interval} s in {Math.round(group.evaluationTime * 1000)} ms
          {failed > 0 && <span className="failure">, {failed} failing</span>}
        </small>
      </summary>
      <Rows rules={group.rules} />
    </details>
  );
}

export function Alerts() {
  useTitle('Alerts and rules');
  const { data, error } = useQuery(['rules'], groups, { refetchInterval: 30_000 });
  if (error) {
    return <Failure what="The rules could not be had" error={error} />;
  }
  if (!data) {
    return <Waiting />;
  }
  const alerts = data.flatMap((g) => g.rules.flatMap((r) => r.alerts ?? [])).sort(order);
  return (
    <div className="page">
      <h1>Alerts</h1>
      <Firing alerts={alerts} />
      <h2>Rules</h2>
      {data.length === 0 && <p>No rules are loaded.</p>}
      {data.map((g) => (
        <GroupOf key={g.name} group={g} />
      ))}
    </div>
  );
}
