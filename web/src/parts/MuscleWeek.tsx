import { useEffect, useState } from 'preact/hooks';
import { number } from '../format.ts';
import { load, save } from '../session/database.ts';
import { Field } from './basics.tsx';

interface Band {
  least: number;
  most: number;
}

const MUSCLES = ['Legs', 'Glutes', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Abs'];

/** Hard sets of this week for each muscle, against the band that the person wants to be in. */
export function MuscleWeek({ hardSets }: { hardSets: Record<string, number> }) {
  const [band, setBand] = useState<Band>({ least: 10, most: 20 });
  useEffect(() => void load<Band>('choices', 'band').then((kept) => kept && setBand(kept)), []);
  const change = (next: Band) => {
    setBand(next);
    void save('choices', 'band', next);
  };
  const scale = Math.max(band.most * 1.25, ...Object.values(hardSets), 1);
  const judge = (sets: number) => (sets < band.least ? 'below' : sets > band.most ? 'above' : 'within');
  return (
    <section class="card">
      <h2>Hard sets this week</h2>
      <table class="bars">
        <caption class="unseen">Hard sets of each muscle this week; helping muscles count half</caption>
        <thead class="unseen">
          <tr>
            <th scope="col">Muscle</th>
            <th scope="col">Bar</th>
            <th scope="col">Sets</th>
          </tr>
        </thead>
        <tbody>
          {MUSCLES.map((muscle) => {
            const sets = hardSets[muscle] ?? 0;
            return (
              <tr key={muscle}>
                <th scope="row">{muscle}</th>
                <td aria-hidden="true" class="bar">
                  <i
                    class="band"
                    style={{
                      left: `${(band.least / scale) * 100}%`,
                      width: `${((band.most - band.least) / scale) * 100}%`,
                    }}
                  />
                  <i class={`value ${judge(sets)}`} style={{ width: `${(sets / scale) * 100}%` }} />
                </td>
                <td>
                  {number(sets)} <span class="unseen">sets, {judge(sets)} the band</span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <div class="row">
        <Field
          label="Band from, sets"
          type="number"
          min={0}
          max={band.most}
          value={band.least}
          onText={(text) => text && change({ ...band, least: Math.max(0, Number(text)) })}
        />
        <Field
          label="to, sets"
          type="number"
          min={band.least}
          max={60}
          value={band.most}
          onText={(text) => text && change({ ...band, most: Math.min(60, Number(text)) })}
        />
      </div>
    </section>
  );
}
