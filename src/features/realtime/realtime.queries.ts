import { sql } from '#platform/postgres/query.ts';

/** $2: the epoch of the phone's session, or null for one beside it. No row: the phone's has ended. */
export const FIND_SOCKET_OWNER = sql<{ username: string }>('realtime.findSocketOwner')`
  select u.username
  from users u
  where u.id = $1
    and ($2::bigint is null or u.session_epoch = $2)`;

export interface SocketOwnerRow {
  id: string;
  session_epoch: number;
  is_verified: boolean;
  /** Ids of the sessions beside the phone. */
  others: string[];
}

/** Needs the service role. Those of $1 who still exist, with the epoch or one of the sessions that their tickets must name. */
export const LIST_SOCKET_OWNERS = sql<SocketOwnerRow>('realtime.listSocketOwners')`
  select
    u.id,
    u.session_epoch,
    u.is_verified,
    array(select s.id from other_sessions s where s.user_id = u.id) as others
  from users u
  where u.id = any ($1::uuid[])`;
