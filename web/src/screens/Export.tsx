import { useAction, useClient } from '../hooks.ts';
import { Notice, Screen } from '../parts/basics.tsx';

/** Gives a file to the browser to keep. */
function keep(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function Export() {
  const client = useClient();
  const { isBusy, error, done, run } = useAction();
  const files: Array<[name: string, what: string, get: () => Promise<Blob>]> = [
    [
      'logbook.json',
      'The logbook as it is here: an import brings back exactly the same.',
      async () =>
        new Blob([JSON.stringify(await client.call('GET', '/api/v1/exports/logbook.json'))], {
          type: 'application/json',
        }),
    ],
    ['hevy.csv', "All sets in Hevy's columns.", async () => csv(await client.call('GET', '/api/v1/exports/hevy.csv'))],
    [
      'strong.csv',
      "All sets in Strong's columns, in kilograms.",
      async () => csv(await client.call('GET', '/api/v1/exports/strong.csv', { query: { unit: 'kg' } })),
    ],
    [
      'archive.zip',
      'Everything that is stored about you, with a README.',
      () => client.call('GET', '/api/v1/exports/archive.zip'),
    ],
  ];
  return (
    <Screen title="Export">
      <Notice error={error} done={done} />
      <div role="status">{isBusy && <progress aria-label="The file is being made" />}</div>
      <ul class="list card">
        {files.map(([name, what, get]) => (
          <li key={name}>
            <span>{what}</span>
            <button
              type="button"
              disabled={isBusy}
              onClick={() =>
                run(async () => {
                  keep(name, await get());
                  return `${name} is in your downloads.`;
                })
              }
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
    </Screen>
  );
}

const csv = (text: string) => new Blob([text], { type: 'text/csv' });
