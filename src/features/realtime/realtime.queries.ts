import { sql } from '#platform/postgres/query.ts';

/** $2: the epoch of the session that asks. No row: it has ended. */
export const FIND_SOCKET_OWNER = sql<{ username: string; session_epoch: number }>('realtime.findSocketOwner')`
  select u.username, u.session_epoch
  from users u
  where u.id = $1
    and u.session_epoch = $2`;

export interface SocketOwnerRow {
  id: string;
  session_epoch: number;
  is_verified: boolean;
}

/** Needs the service role. Those of $1 who still exist, with the epoch that their tickets must have. */
export const LIST_SOCKET_OWNERS = sql<SocketOwnerRow>('realtime.listSocketOwners')`
  select u.id, u.session_epoch, u.is_verified
  from users u
  where u.id = any ($1::uuid[])`;
