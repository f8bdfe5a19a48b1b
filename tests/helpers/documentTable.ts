import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '../../docs');

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim());

/**
 * The table of a document that begins with this row of headings, as a test's data.
 * @param file below `docs`
 * @param headings the first headings of the table
 * @returns its rows, by heading
 * @throws Error when there is no such table
 */
export function documentTable(file: string, ...headings: string[]): Array<Record<string, string>> {
  const lines = readFileSync(join(DOCS, file), 'utf8').split('\n');
  const isHead = (line: string) => line.startsWith('|') && headings.every((text, n) => cellsOf(line)[n] === text);
  const start = lines.findIndex(isHead);
  if (start < 0) throw new Error(`${file} has no table with the headings ${headings.join(', ')}`);
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  const names = cellsOf(lines[start] ?? '');
  return rest.slice(0, end < 0 ? undefined : end).map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(names.map((name, n) => [name, cells[n] ?? '']));
  });
}

/** What stands between backticks in a cell, in order. */
export const codesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
