import { describe, expect, it } from 'vitest';
import { HEVY_HEADERS, STRONG_HEADERS, STRONG_NOTE_ROWS, STRONG_REST_ROWS } from './headerNames.ts';

describe('headers of other programs', () => {
  it.for([STRONG_HEADERS, HEVY_HEADERS])('each stands for one field, in lower case', (headers) => {
    const names = Object.values(headers).flat();
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(names.map((name) => name.trim().toLowerCase()));
  });

  it.for([
    'Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE',
    'Date,Workout Name,Exercise Name,Set Order,kg,Reps,km,Seconds,Notes',
    'Datum,Workout-Name,Dauer,Name der Übung,Reihenfolge festlegen,Gewicht,Wiederh.,Entfernung,Sekunden,Notizen,Workout-Notizen,RPE',
    "Date,Nom de l'entraînement,Durée,Nom de l'exercice,Ordre de la série,Poids,Réps,Distance,Secondes,Notes,Notes d'entraînement,RPE",
  ])('%s: every column of Strong is known', (line) => {
    const known = new Set<string>(Object.values(STRONG_HEADERS).flat());
    expect(line.split(',').filter((header) => !known.has(header.toLowerCase()))).toEqual([]);
  });

  it('rows that are no sets', () => {
    expect(STRONG_REST_ROWS).toContain('ruhezeit');
    expect(STRONG_NOTE_ROWS).toContain('notiz');
  });
});
