import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mail, Mailer } from './mail.ts';

export interface MailboxEntry extends Mail {
  id: string;
  sentAt: string;
}

export type Mailbox = ReturnType<typeof openMailbox>;

/**
 * The development mailbox: mails become files in a folder, one JSON file each, so that a server, its
 * worker and a restart show the same list.
 */
export function openMailbox(folder: string) {
  const fileOf = (id: string) => join(folder, `${id}.json`);

  const mailer: Mailer = {
    async send(mail, idempotencyKey) {
      const id = createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16);
      await mkdir(folder, { recursive: true });
      if (await read(id)) return;
      const kept: MailboxEntry = { id, sentAt: new Date().toISOString(), ...mail };
      // Written as another file and renamed, so that a reader never sees half a mail.
      await writeFile(`${fileOf(id)}.part`, JSON.stringify(kept, null, 2));
      await rename(`${fileOf(id)}.part`, fileOf(id));
    },
  };

  async function read(id: string): Promise<MailboxEntry | undefined> {
    if (!/^[0-9a-f]{16}$/.test(id)) return undefined;
    try {
      return JSON.parse(await readFile(fileOf(id), 'utf8')) as MailboxEntry;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Newest first; with `to`, only mails to that address. */
  async function list(to?: string): Promise<MailboxEntry[]> {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const mails = (await Promise.all(ids.map(read))).filter((mail) => mail !== undefined);
    return mails.filter((mail) => to === undefined || mail.to === to).sort((a, b) => b.sentAt.localeCompare(a.sentAt));
  }

  return { mailer, read, list };
}
