import { sql } from '#platform/postgres/query.ts';

export const FORGET_PROOFS = sql<{ removed: number }>('housekeeping.forgetProofs')`
  with removed as (
    delete from seen_proofs s
    where s.ctid = any (array(
      select o.ctid from seen_proofs o where o.expires_at < now() limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

export const FORGET_ANSWERS = sql<{ removed: number }>('housekeeping.forgetAnswers')`
  with removed as (
    delete from idempotency_keys k
    where k.ctid = any (array(
      select o.ctid from idempotency_keys o where o.created_at < now() - interval '24 hours' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** The day is the longest period that de-duplication keys name, so none can occur again five weeks later. */
export const FORGET_DELIVERIES = sql<{ removed: number }>('housekeeping.forgetDeliveries')`
  with removed as (
    delete from outbox d
    where d.ctid = any (array(
      select o.ctid
      from outbox o
      where o.status <> 'pending'
        and o.finished_at < now() - interval '35 days'
      limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Expo keeps receipts for a day. */
export const FORGET_TICKETS = sql<{ removed: number }>('housekeeping.forgetTickets')`
  with removed as (
    delete from push_tickets t
    where t.ctid = any (array(
      select o.ctid from push_tickets o where o.created_at < now() - interval '24 hours' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Previews that were not committed within a week, with the files they hold. */
export const FORGET_PREVIEWS = sql<{ removed: number }>('housekeeping.forgetPreviews')`
  with removed as (
    delete from imports i
    where i.ctid = any (array(
      select o.ctid from imports o where o.state = 'preview' and o.created_at < now() - interval '7 days' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Imports that nothing writes any more: their messages were given up. Their people can try again or take them back. */
export const FAIL_STUCK_IMPORTS = sql<{ removed: number }>('housekeeping.failStuckImports')`
  with stuck as (
    update imports i
    set state = 'failed',
        failure = 'The import was interrupted. Try again, or take it back.',
        updated_at = now()
    where i.ctid = any (array(
      select o.ctid
      from imports o
      where o.state = 'committing'
        and o.updated_at < now() - interval '15 minutes'
        and not exists (
          select
          from outbox m
          where m.kind = 'import.commit'
            and m.status = 'pending'
            and m.payload ->> 'importId' = o.id::text
        )
      limit $1
    ))
    returning i.user_id, i.id
  ),
  finished as materialized (
    select app.finish_import(s.user_id, s.id, true) -- the records of what was written
    from stuck s
  )
  select count(*) as removed from finished`;

/** What finishes said whose workouts the app does not show any more. */
export const FORGET_FINISHES = sql<{ removed: number }>('housekeeping.forgetFinishes')`
  with removed as (
    delete from app_finishes f
    where f.ctid = any (array(
      select o.ctid from app_finishes o where o.stored_at < now() - interval '45 days' limit $1
    ))
      and f.stored_at < now() - interval '45 days' -- one may have been said again meanwhile
    returning 1
  )
  select count(*) as removed from removed`;

/** Sessions beside the phone whose last refresh token has ended. */
export const FORGET_SESSIONS = sql<{ removed: number }>('housekeeping.forgetSessions')`
  with removed as (
    delete from other_sessions s
    where s.id = any (array(
      select o.id from other_sessions o where o.expires_at < now() limit $1
    ))
      and s.expires_at < now() -- one may have been refreshed meanwhile
    returning 1
  )
  select count(*) as removed from removed`;

export const FORGET_MAILED_CODES = sql<{ removed: number }>('housekeeping.forgetMailedCodes')`
  with removed as (
    delete from mailed_codes c
    where c.nonce = any (array(
      select o.nonce from mailed_codes o where o.expires_at < now() limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Those of the release before. */
export const FORGET_CODES = sql<{ removed: number }>('housekeeping.forgetCodes')`
  with removed as (
    delete from sign_in_codes c
    where c.user_id = any (array(
      select o.user_id from sign_in_codes o where o.expires_at < now() limit $1
    ))
      and c.expires_at < now() -- a new one may have taken its place
    returning 1
  )
  select count(*) as removed from removed`;

/** By row-level security the service sees and removes no younger ones. */
export const FORGET_EVENTS = sql<{ removed: number }>('housekeeping.forgetEvents')`
  with removed as (
    delete from security_events e
    where e.id = any (array(
      select o.id from security_events o where o.occurred_at < now() - interval '400 days' limit $1
    ))
    returning 1
  )
  select count(*) as removed from removed`;

/** Removes sets that the app does not show any more, of the next $2 people after $1 (behaviour 4.10). */
export const COMPACT_NEXT = sql<{ last_id: string | null }>('housekeeping.compactNext')`
  select c.last_id
  from app.compact_old_workouts($1, $2) c`;
