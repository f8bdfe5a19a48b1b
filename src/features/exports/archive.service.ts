import { once } from 'node:events';
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import yazl from 'yazl';
import { unavailable } from '#platform/apiError.ts';
import { defused } from '#platform/formulaCells.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { StorageUnavailable } from '#platform/storage/storage.ts';
import type { Deps } from '#transport/deps.ts';
import { FIND_PICTURE, SECTIONS, type SectionQuery } from './archive.queries.ts';
import { hevyCsv, ownJson } from './exports.service.ts';

type Transactions = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

const PAGE = 500;

const README = `Everything that this server stores about you.

logbook.json        the log, your own exercises and measurements; it can be imported again as it is
logbook.csv         the same sets, a line each, in the columns that other programs read
profile             who you are, and what you chose
linked-sign-ins     Google and Apple
plans               every split and exercise that your plans have or had
app-workouts        what the app shows of the last weeks; the log has all of it
records             your best sets, by exercise
usual-times         when you usually train, for reminders
cardio, messages, measurements
exercise-names      what names in imported files mean for you
imports             files that you brought
sessions            browsers and programs that are signed in
security-events     what happened to the account
pictures/           your picture

Most are there twice: .json for programs, .csv for spreadsheets. Instants are UTC. The password is stored as a hash that
nobody can turn back, and is not here.
`;

/** All that is stored about a person, as a zip file, one part after the other. @throws ApiError 503 without the picture store */
export async function* archive(deps: Deps, transaction: Transactions, userId: string): AsyncGenerator<Buffer> {
  const picture = await pictureOf(deps, transaction, userId);
  const zip = new yazl.ZipFile();
  const failed = once(zip, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const add = (name: string, pieces: () => AsyncIterable<string>) =>
    zip.addReadStreamLazy(name, (begin) => {
      const stream = Readable.from(pieces());
      stream.on('error', (error) => zip.emit('error', error));
      begin(null, stream);
    });
  zip.addBuffer(Buffer.from(README), 'README.txt');
  if (picture) zip.addBuffer(picture.bytes, `pictures/${picture.name}`, { compress: false });
  add('logbook.json', () => ownJson(transaction, userId));
  add('logbook.csv', () => hevyCsv(transaction, userId));
  for (const [name, query] of Object.entries(SECTIONS)) {
    add(`${name}.json`, () => asJson(rowsOf(transaction, query, userId)));
    add(`${name}.csv`, () => asCsv(rowsOf(transaction, query, userId)));
  }
  zip.end();
  const chunks = (zip.outputStream as Readable)[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([chunks.next(), failed]);
    if (next.done) return;
    yield next.value as Buffer;
  }
}

async function pictureOf({ config, pictures }: Deps, transaction: Transactions, userId: string) {
  const { profile_image_url: path } = await transaction((tx) => tx.one(FIND_PICTURE, [userId]));
  const folder = `${config.BUCKET_NAME}/`;
  if (!path?.startsWith(folder) || path.includes('..')) return undefined;
  const key = path.slice(folder.length);
  try {
    const bytes = await pictures.get(key);
    return bytes && { bytes, name: key.split('/').at(-1) ?? 'picture' };
  } catch (error) {
    throw error instanceof StorageUnavailable ? unavailable() : error;
  }
}

type Content = Record<string, unknown>;

async function* rowsOf(transaction: Transactions, query: SectionQuery, userId: string): AsyncGenerator<Content[]> {
  for (let after: string | null = null; ; ) {
    const rows = await transaction((tx) => tx.rows(query, [userId, after, PAGE]));
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(({ content }) => content);
    after = last.key;
  }
}

async function* asJson(pages: AsyncIterable<Content[]>): AsyncGenerator<string> {
  let before = '[';
  for await (const rows of pages) {
    yield before + rows.map((row) => JSON.stringify(row)).join(',\n');
    before = ',\n';
  }
  yield before === '[' ? '[]\n' : ']\n';
}

async function* asCsv(pages: AsyncIterable<Content[]>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const rows of pages) {
    const header = isFirst ? [Object.keys(rows[0] ?? {})] : [];
    yield stringify([...header, ...rows.map((row) => Object.values(row).map(cell))]);
    isFirst = false;
  }
}

function cell(value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.join(' ');
  return defused(String(value));
}
