import { undefused } from '#platform/formulaCells.ts';
import { LENGTH_UNITS, TIME_UNITS, type Unit, WEIGHT_UNITS } from '#training/units.ts';
import type { Column, Columns } from './headers.ts';
import { isClean } from './loads.ts';
import { type Comma, decimalText, roundedMetres } from './numbers.ts';
import { type DateOrder, duration, readDate } from './times.ts';
import { BadLine } from './training.ts';

/** What is known about a file when its lines are read. */
export interface Reading {
  columns: Columns;
  comma: Comma;
  dateOrder: DateOrder;
  /** Dates that were read, by what was written: the sets of a workout have the same one. */
  dates: Map<string, string>;
  /** Units of numbers that neither header nor row names; undefined: nobody has said. */
  unit: Unit | undefined;
  distanceUnit: string;
  /** What the file leaves open, noted while lines are read. */
  open: { unit: boolean; distanceUnit: boolean };
}

const MOST_DATES_KEPT = 1_000;

/** A line of a file, its cells by what they mean. An empty cell is null. */
export class Line {
  readonly #cells: string[];
  readonly #file: Reading;

  constructor(cells: string[], file: Reading) {
    this.#cells = cells;
    this.#file = file;
  }

  has(field: string): boolean {
    return this.#file.columns.has(field);
  }

  /** The trimmed text of a cell, as it was before an export made it harmless for spreadsheets. */
  text(field: string): string {
    for (const { place } of this.#columns(field)) {
      const text = undefused(this.#cells[place] ?? '').trim();
      if (text !== '') return text;
    }
    return '';
  }

  /** The unit that the header of a field names, in lower case. */
  unitOf(field: string): string | undefined {
    return this.#columns(field)[0]?.unit;
  }

  /** @returns a time on the clock on the wall, or an instant in `Z` @throws BadLine */
  date(field: string): string {
    const [text, { dates, dateOrder }] = [this.text(field), this.#file];
    const known = dates.get(text);
    if (known !== undefined) return known;
    const date = readDate(text, dateOrder);
    if (dates.size >= MOST_DATES_KEPT) dates.clear();
    dates.set(text, date);
    return date;
  }

  /** @throws BadLine */
  number(field: string): number | null {
    const [column] = this.#columns(field);
    const text = column === undefined ? null : this.#decimal(column);
    return text === null ? null : Number(text);
  }

  /** A whole number, also written as `10.0`. @throws BadLine */
  whole(field: string): number | null {
    const value = this.number(field);
    if (value !== null && !Number.isInteger(value)) throw new BadLine('number');
    return value;
  }

  /** Whole seconds of `90`, `0:01:30` or `1m 30s`, or in the unit of the header. @throws BadLine */
  seconds(field: string): number | null {
    const text = this.text(field);
    if (text === '') return null;
    const factor = TIME_UNITS.get(this.unitOf(field) ?? 's') ?? 1;
    const written = decimalText(text, this.#file.comma);
    const seconds = written === undefined ? duration(text) : Math.round(Number(written) * factor);
    if (seconds === undefined) throw new BadLine('number');
    return seconds;
  }

  /**
   * The weight of a set as it was entered. The unit is the row's, the header's, or what the person said; where a row has
   * the weight in both units, the one without a rest was entered. 0 is no weight.
   * @param otherwise unit of rows that leave it out, where others of the file name it
   * @throws BadLine
   */
  load(otherwise?: Unit): { weight: string | null; unit: Unit | null } {
    const loads = this.#columns('weight').flatMap((column) => {
      const weight = this.#decimal(column);
      if (weight === null || Number(weight) === 0) return [];
      const unit =
        this.#unitOfRow('unit', WEIGHT_UNITS) ??
        WEIGHT_UNITS.get(column.unit ?? '') ??
        otherwise ??
        this.#file.unit ??
        null;
      return [{ weight, unit }];
    });
    const [entered] = loads.toSorted((a, b) => Number(isClean(Number(b.weight))) - Number(isClean(Number(a.weight))));
    if (entered === undefined) return { weight: null, unit: null };
    if (!this.#namesUnit('weight', 'unit') && otherwise === undefined) this.#file.open.unit = true;
    return entered;
  }

  /** A distance in metres, to the millimetre; 0 is none. @param otherwise as for `load` @throws BadLine */
  metres(otherwise?: string): number | null {
    const [column] = this.#columns('distance');
    const distance = this.number('distance');
    if (column === undefined || distance === null || distance === 0) return null;
    const ofRow = this.#unitOfRow('distanceUnit', LENGTH_UNITS);
    const ofHeader = LENGTH_UNITS.get(column.unit ?? '');
    const told = LENGTH_UNITS.get(otherwise ?? this.#file.distanceUnit) ?? 1;
    if (!this.#namesUnit('distance', 'distanceUnit') && otherwise === undefined) this.#file.open.distanceUnit = true;
    return roundedMetres(distance * (ofRow ?? ofHeader ?? told));
  }

  #columns(field: string): readonly Column[] {
    return this.#file.columns.get(field) ?? [];
  }

  /** @throws BadLine */
  #decimal({ place }: Column): string | null {
    const written = (this.#cells[place] ?? '').trim();
    if (written === '') return null;
    const text = decimalText(written, this.#file.comma);
    if (text === undefined) throw new BadLine('number');
    return text;
  }

  #unitOfRow<Value>(field: string, units: ReadonlyMap<string, Value>): Value | undefined {
    const text = this.text(field).toLowerCase();
    if (text === '') return undefined;
    const unit = units.get(text);
    if (unit === undefined) throw new BadLine('unit');
    return unit;
  }

  #namesUnit(field: string, unitField: string): boolean {
    return this.has(unitField) || this.#columns(field).some(({ unit }) => unit !== undefined);
  }
}
