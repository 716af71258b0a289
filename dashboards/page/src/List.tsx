// The list of dashboards.
import { Link } from 'react-router-dom';
import { type Entry } from './server';
import { useTitle } from './parts';

export function List({ dashboards }: { dashboards: Entry[] }) {
  useTitle('Dashboards');
  return (
    <div className="page">
      <h1>Dashboards</h1>
      <ul className="boards">
        {dashboards.map((d) => (
          <li key={d.name}>
            <Link to={`/${d.name}`}>{d.title}</Link>
            {d.description && <p>{d.description}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}
