import { useEffect } from 'react';

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Loadline`;
  }, [title]);
}

export function Waiting() {
  return (
    <p className="page" role="status">
      One moment …
    </p>
  );
}

export function Failure({ what, error }: { what: string; error: unknown }) {
  return (
    <p className="page failure" role="alert">
      {what}: {error instanceof Error ? error.message : String(error)}
    </p>
  );
}
