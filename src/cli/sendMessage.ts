import { parseArgs } from 'node:util';
import { sendToEverybody, sendToPerson } from '#features/messages/broadcast.service.ts';
import { type Command, UsageError } from './command.ts';

const USAGE = 'Usage: npm run message:send -- --to <username|all> --subject "…" --body "…" [--after <user id>]';

/** Writes a message from the system user into one inbox or all of them; the workers send it to open sockets. */
export const sendMessage: Command = async ({ db, outbox, args, say }) => {
  const { to, subject, body, after } = readArgs(args);
  if (!to || !subject?.trim() || !body?.trim()) throw new UsageError(USAGE);
  const text = { subject: subject.trim(), body: body.trim() };
  if (to !== 'all') {
    if (!(await sendToPerson(db, outbox, to, text))) throw new UsageError(`There is nobody with the user name ${to}.`);
    say(`Sent to ${to}.`);
    return;
  }
  let sent = 0;
  for await (const batch of sendToEverybody(db, outbox, text, after)) {
    sent += batch.people;
    say(`${sent} sent; if this is interrupted, go on with --after ${batch.last_id}`);
  }
  say(`Sent to ${sent} people.`);
};

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        to: { type: 'string' },
        subject: { type: 'string' },
        body: { type: 'string' },
        after: { type: 'string' },
      },
    }).values;
  } catch {
    throw new UsageError(USAGE);
  }
}
