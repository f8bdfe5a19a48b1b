import { parseArgs } from 'node:util';
import { LINK_SECONDS, signAdminToken } from '#features/admin/adminTokens.ts';
import { FIND_PERSON, GRANT_ADMIN } from './cli.queries.ts';
import { type Command, UsageError } from './command.ts';

const USAGE = 'Usage: npm run admin:link -- --user <username> [--grant]';

/** Prints a link that signs an Admin into the console once. With --grant the person becomes Admin. */
export const adminLink: Command = async ({ config, db, args, say }) => {
  const { user, grant } = readArgs(args);
  if (!user) throw new UsageError(USAGE);
  if (!config.redisUrl) {
    throw new UsageError('Without Redis there are no queues and no console: set REDIS_URL, here as for the server.');
  }
  const person = await db.asService(async (tx) => {
    const found = await tx.maybe(FIND_PERSON, [user]);
    if (found && grant) await tx.rows(GRANT_ADMIN, [found.id]);
    return found && { ...found, isAdmin: grant === true || found.role === 'Admin' };
  });
  if (!person) throw new UsageError(`There is nobody with the user name ${user}.`);
  if (!person.isAdmin) throw new UsageError(`${user} has the role ${person.role}, not Admin; --grant changes that.`);
  const token = await signAdminToken(config, 'admin-link', person.id, person.session_epoch);
  say(`Works once, for ${LINK_SECONDS / 60} minutes:`);
  say(`${config.PUBLIC_BASE_URL}/admin/sign-in?token=${token}`);
};

function readArgs(args: string[]) {
  try {
    return parseArgs({ args, options: { user: { type: 'string' }, grant: { type: 'boolean' } } }).values;
  } catch {
    throw new UsageError(USAGE);
  }
}
