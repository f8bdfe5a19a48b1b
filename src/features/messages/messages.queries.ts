import type { z } from 'zod';
import { sql } from '#platform/postgres/query.ts';
import type { message } from './messages.schemas.ts';

/** The newest 200 that $1 received and did not delete; times in zone $2. */
export const LIST_INBOX = sql<z.input<typeof message>>('messages.listInbox')`
  select
    m.id,
    m.subject,
    m.msg,
    app.local_timestamp(m.sent_at, $2) as sent_at,
    m.is_read,
    coalesce(s.name, 'Deleted user') as sender_full_name,
    s.profile_image_url as sender_profile_image_url
  from messages m
  left join app.senders_of_received_messages() s on s.id = m.sender_id
  where m.receiver_id = $1
    and m.deleted_at is null
  order by m.sent_at desc, m.id
  limit 200`;

export interface AnnouncedRow extends z.input<typeof message> {
  receiver_id: string;
}

/** Needs the service role. Messages $1 as the inboxes show them: in zone $2, else that of the receiver, else $3. */
export const LIST_ANNOUNCED = sql<AnnouncedRow>('messages.listAnnounced')`
  select
    m.receiver_id,
    m.id,
    m.subject,
    m.msg,
    app.local_timestamp(m.sent_at, coalesce($2, app.known_zone(urs.timezone, $3))) as sent_at,
    m.is_read,
    coalesce(s.name, s.username, 'Deleted user') as sender_full_name,
    s.profile_image_url as sender_profile_image_url
  from messages m
  left join users s on s.id = m.sender_id
  left join user_reminder_settings urs on urs.user_id = m.receiver_id
  where m.id = any ($1::uuid[])
    and m.deleted_at is null`;

export const MARK_READ = sql<{ id: string }>('messages.markRead')`
  update messages m
  set is_read = true
  where m.id = $2
    and m.receiver_id = $1
    and m.deleted_at is null
  returning m.id`;

export const DELETE_SOFTLY = sql<{ id: string }>('messages.deleteSoftly')`
  update messages m
  set deleted_at = now()
  where m.id = $2
    and m.receiver_id = $1
    and m.deleted_at is null
  returning m.id`;

export interface SentRow {
  id: string;
  receiver_id: string;
}

export const SEND_TO_PERSON = sql<SentRow>('messages.sendToPerson')`
  insert into messages (sender_id, receiver_id, subject, msg)
  select app.system_user_id(), u.id, $2, $3
  from users u
  where lower(trim(u.username)) = lower(trim($1))
    and u.role <> 'System'
  returning id, receiver_id`;

/** The next $4 verified people after $1, by id. */
export const SEND_TO_NEXT = sql<SentRow>('messages.sendToNext')`
  with receiver as (
    select u.id
    from users u
    where u.id > $1
      and u.is_verified
      and u.role <> 'System'
    order by u.id
    limit $4
  )
  insert into messages (sender_id, receiver_id, subject, msg)
  select app.system_user_id(), r.id, $2, $3
  from receiver r
  returning id, receiver_id`;
