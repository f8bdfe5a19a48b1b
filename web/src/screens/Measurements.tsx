import { useState } from 'preact/hooks';
import { localTime, moment, number } from '../format.ts';
import { useAction, useClient, useLoaded, useShared } from '../hooks.ts';
import { Choice, Field, Notice, NumberField, Ready, Screen } from '../parts/basics.tsx';
import { newId } from '../session/drafts.ts';
import { BodyWeight } from './Home.tsx';

const KINDS = [
  ['body_weight', 'Body weight'],
  ['body_fat', 'Body fat'],
  ['neck', 'Neck'],
  ['shoulders', 'Shoulders'],
  ['chest', 'Chest'],
  ['waist', 'Waist'],
  ['hips', 'Hips'],
  ['arm_left', 'Left arm'],
  ['arm_right', 'Right arm'],
  ['thigh_left', 'Left thigh'],
  ['thigh_right', 'Right thigh'],
] as const;

export function Measurements() {
  const { session, me } = useShared();
  const client = useClient();
  const [kind, setKind] = useState('body_weight');
  const [value, setValue] = useState<number | null>(null);
  const [at, setAt] = useState(localTime(new Date().toISOString()));
  const [loaded, again] = useLoaded(
    () => session.client.call('GET', '/api/v1/measurements', { query: { kind, limit: 200 } }),
    [kind],
  );
  const [id, setId] = useState(newId()); // the same until it is stored: a second press makes no second one
  const { isBusy, error, done, run } = useAction();
  const unit = kind === 'body_weight' ? me.unit : kind === 'body_fat' ? '%' : me.unit === 'lb' ? 'in' : 'cm';
  return (
    <Screen title="Measurements">
      <Choice label="What" value={kind} options={KINDS} onChoose={setKind} />
      <form
        class="card row"
        onSubmit={(event) => {
          event.preventDefault();
          if (value === null) return; // its field is required
          run(async () => {
            const body = { kind, value, unit, measuredAt: new Date(at).toISOString() } as const;
            await client.call('PUT', '/api/v1/measurements/:id', { params: { id }, body });
            setId(newId());
            setValue(null);
            again();
            return 'It is stored.';
          });
        }}
      >
        <NumberField label={`Value, ${unit}`} most={99_999} places={3} required value={value} onNumber={setValue} />
        <Field label="When" type="datetime-local" required value={at} onText={setAt} />
        <button type="submit" disabled={isBusy}>
          Add
        </button>
        <Notice error={error} done={done} />
      </form>
      <Ready loaded={loaded} again={again}>
        {({ items }) => (
          <>
            {kind === 'body_weight' && <BodyWeight items={items} />}
            <ul class="list card">
              {items.length === 0 && <li class="empty">Nothing yet. Add the first one above.</li>}
              {items.map((item) => (
                <li key={item.id}>
                  <span>
                    {number(item.value, 3)} {item.unit}
                  </span>
                  <span>
                    <span class="hint">{moment(item.measuredAt)}</span>{' '}
                    <button
                      type="button"
                      class="plain"
                      onClick={() =>
                        run(async () => {
                          await client.call('DELETE', '/api/v1/measurements/:id', { params: { id: item.id } });
                          again();
                          return 'It is removed.';
                        })
                      }
                    >
                      Remove<span class="unseen"> {moment(item.measuredAt)}</span>
                    </button>
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </Ready>
    </Screen>
  );
}
