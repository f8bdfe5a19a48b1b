import { minutes, moment, setText } from '../format.ts';
import { go, useAction, useLoaded, useShared } from '../hooks.ts';
import { Link, Notice, Ready, Screen } from '../parts/basics.tsx';
import { beginAgain } from '../session/beginning.ts';
import { removeDraft } from '../session/drafts.ts';

const KINDS: Record<string, string> = { warmup: 'warm-up', drop: 'drop set', failure: 'to failure' };

export function Workout({ id }: { id: string }) {
  const { session, me } = useShared();
  const { client } = session;
  const [loaded, again] = useLoaded(
    () =>
      Promise.all([
        client.call('GET', '/api/v1/workouts/:id', { params: { id } }),
        client.call('GET', '/api/v1/exercises'),
      ]),
    [id],
  );
  const { isBusy, error, run } = useAction();
  return (
    <Screen title={loaded.state === 'here' ? loaded.value[0].title : 'Workout'}>
      <Ready loaded={loaded} again={again}>
        {([workout, { items: exercises }]) => {
          const names = new Map(exercises.map((exercise) => [exercise.id, exercise.name]));
          return (
            <>
              <p class="hint">
                {moment(workout.startedAt)}
                {workout.endedAt ? `, ${minutes(workout.startedAt, workout.endedAt)} minutes` : ', open'}
              </p>
              {workout.notes && <p dir="auto">{workout.notes}</p>}
              {workout.blocks.map((block) => (
                <section key={block.id} class="card">
                  <h2>
                    <Link to={`exercises/${block.exerciseId}`} dir="auto">
                      {names.get(block.exerciseId) ?? 'Exercise'}
                    </Link>
                    {block.superset !== null && <span class="hint"> superset {block.superset + 1}</span>}
                  </h2>
                  {block.notes && <p dir="auto">{block.notes}</p>}
                  <ol>
                    {block.sets.map((set, n) => (
                      <li key={n}>
                        {setText(set)}
                        {set.rpe !== null && ` at RPE ${set.rpe}`}
                        {KINDS[set.kind] && <span class="hint"> {KINDS[set.kind]}</span>}
                      </li>
                    ))}
                  </ol>
                </section>
              ))}
              <Notice error={error} />
              <div class="row">
                <Link to={`workouts/${id}/edit`} class="button">
                  Edit
                </Link>
                <button
                  type="button"
                  disabled={isBusy}
                  onClick={() =>
                    run(async () => {
                      go(`workouts/${await beginAgain(session, workout, me.unit)}/new`);
                      return undefined;
                    })
                  }
                >
                  Do it again
                </button>
                <button
                  type="button"
                  class="danger"
                  disabled={isBusy}
                  onClick={() => {
                    if (!confirm('Delete this workout?')) return;
                    run(async () => {
                      await client.call('DELETE', '/api/v1/workouts/:id', { params: { id } });
                      await removeDraft(session.userId(), id);
                      go('workouts');
                      return undefined;
                    });
                  }}
                >
                  Delete
                </button>
              </div>
            </>
          );
        }}
      </Ready>
    </Screen>
  );
}
