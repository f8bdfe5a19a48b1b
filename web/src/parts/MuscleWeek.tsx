import { useEffect, useState } from 'preact/hooks';
import { number } from '../format.ts';
import { load, save } from '../session/database.ts';
import { NumberField } from './basics.tsx';

interface Band {
  least: number;
  most: number;
}
/** Null while nothing, or nothing that fits, is typed. */
type TypedBand = { [End in keyof Band]: number | null };

const MOST_SETS = 60;
const MUSCLES = ['Legs', 'Glutes', 'Back', 'Chest', 'Shoulders', 'Triceps', 'Biceps', 'Abs'];

/** Hard sets of this week for each muscle, against the band that the person wants to be in. */
export function MuscleWeek({ hardSets }: { hardSets: Record<string, number> }) {
  const [typed, setTyped] = useState<TypedBand>({ least: 10, most: 20 });
  const band: Band = { least: typed.least ?? 0, most: typed.most ?? MOST_SETS };
  useEffect(() => void load<Band>('choices', 'band').then((kept) => kept && setTyped(kept)), []);
  const change = (part: Partial<TypedBand>) => {
    const next = { ...typed, ...part };
    setTyped(next);
    if (next.least !== null && next.most !== null) void save('choices', 'band', next);
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
        <NumberField
          label="Band from, sets"
          most={band.most}
          value={typed.least}
          onNumber={(least) => change({ least })}
        />
        <NumberField
          label="to, sets"
          least={band.least}
          most={MOST_SETS}
          value={typed.most}
          onNumber={(most) => change({ most })}
        />
      </div>
    </section>
  );
}
