import { sql } from '#platform/postgres/query.ts';

/** Needs the service role, as all statements here. $1: only people for whom it is this hour of the day, or null. */
export const ENQUEUE_DAILY_PUSHES = sql<{ enqueued: number }>('push.enqueueDaily')`
  select app.enqueue_daily_pushes($1) as enqueued`;

export const ENQUEUE_REMINDERS = sql<{ enqueued: number }>('push.enqueueReminders')`
  select app.enqueue_workout_reminders() as enqueued`;

export interface AddresseeRow {
  push_token: string | null;
  first_name: string;
  reminders_enabled: boolean;
  split: string | null;
  trained_today: boolean;
}

/** What is checked before a push to $1 is sent; $2: the split of a reminder, or null. */
export const FIND_ADDRESSEE = sql<AddresseeRow>('push.findAddressee')`
  select
    u.push_token,
    app.first_name(u.name, u.username) as first_name,
    urs.workout_reminders_enabled as reminders_enabled,
    s.name as split,
    exists (
      select
      from workout_summary ws
      where ws.user_id = u.id
        and ws.workoutsplit_id = $2
        and ws.workout_start_utc > now() - interval '2 days'
        and (ws.workout_start_utc at time zone z.name)::date = (now() at time zone z.name)::date
    ) as trained_today
  from users u
  join user_reminder_settings urs on urs.user_id = u.id
  cross join lateral (select app.known_zone(urs.timezone, 'UTC') as name) z
  left join (
    workoutsplits s
    join workoutplans p on p.id = s.workout_id and p.is_active
  ) on s.id = $2 and s.is_active
  where u.id = $1`;

/** Removes the push token of a phone that is gone, whoever has it. */
export const FORGET_PHONE = sql('push.forgetPhone')`
  update users u
  set push_token = null
  where u.push_token = $1`;

export const KEEP_TICKET = sql('push.keepTicket')`
  insert into push_tickets (ticket_id, user_id, push_token)
  values ($1, $2, $3)
  on conflict do nothing`;

export interface TicketRow {
  ticket_id: string;
  push_token: string;
}

/** The next $3 tickets after $2, by id, that are at least $1 seconds old. */
export const LIST_TICKETS = sql<TicketRow>('push.listTickets')`
  select t.ticket_id, t.push_token
  from push_tickets t
  where t.created_at <= now() - make_interval(secs => $1)
    and t.ticket_id > $2
  order by t.ticket_id
  limit $3`;

export const FORGET_TICKETS = sql('push.forgetTickets')`
  delete from push_tickets t
  where t.ticket_id = any ($1)`;

/** When each person usually trains each split. */
export const REFRESH_HABITS = sql('push.refreshHabits')`
  select refresh_user_split_information()`;
