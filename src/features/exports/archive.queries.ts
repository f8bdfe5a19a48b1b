import { type Query, sql } from '#platform/postgres/query.ts';

interface SectionRow {
  /** What the next page goes on after. */
  key: string;
  content: Record<string, unknown>;
}

/** A part of what is stored about a person, page by page. $1: user, $2: key to go on after, or null; $3: how many. */
export type SectionQuery = Query<SectionRow>;

export const FIND_PICTURE = sql<{ profile_image_url: string | null }>('archive.findPicture')`
  select u.profile_image_url
  from users u
  where u.id = $1`;

const profile = sql<SectionRow>('archive.profile')`
  select
    u.id::text as key,
    jsonb_build_object(
      'id', u.id, 'username', u.username, 'email', u.email, 'pendingEmail', u.pending_email, 'name', u.name,
      'gender', u.gender, 'createdAt', u.created_at, 'profileImageUrl', u.profile_image_url, 'pushToken', u.push_token,
      'role', u.role, 'isVerified', u.is_verified, 'authProvider', u.auth_provider, 'timeZone', urs.timezone,
      'unit', urs.unit, 'weekStart', urs.week_start, 'remindersEnabled', urs.workout_reminders_enabled,
      'reminderMinutesBefore', urs.reminder_offset_minutes
    ) as content
  from users u
  left join user_reminder_settings urs on urs.user_id = u.id
  where u.id = $1
    and $2::uuid is null
  limit $3`;

const linkedSignIns = sql<SectionRow>('archive.linkedSignIns')`
  select
    oa.id::text as key,
    jsonb_build_object(
      'provider', oa.provider, 'providerUserId', oa.provider_user_id, 'providerEmail', oa.provider_email,
      'linkedAt', oa.linked_at
    ) as content
  from oauth_accounts oa
  where oa.user_id = $1
    and ($2::uuid is null or oa.id > $2::uuid)
  order by oa.id
  limit $3`;

const plans = sql<SectionRow>('archive.plans')`
  select
    ets.id::text as key,
    jsonb_build_object(
      'plan', p.name, 'planIsActive', p.is_active, 'planCreatedAt', p.created_at, 'split', s.name,
      'splitIsActive', s.is_active, 'exercise', e.name, 'isActive', ets.is_active, 'order', ets.order_index,
      'plannedReps', ets.sets
    ) as content
  from workoutplans p
  join workoutsplits s on s.workout_id = p.id
  join exercisetoworkoutsplit ets on ets.workoutsplit_id = s.id
  join exercises e on e.id = ets.exercise_id
  where p.user_id = $1
    and ($2::bigint is null or ets.id > $2::bigint)
  order by ets.id
  limit $3`;

const appWorkouts = sql<SectionRow>('archive.appWorkouts')`
  select
    et.id::text as key,
    jsonb_build_object(
      'workout', ws.id, 'startedAt', ws.workout_start_utc, 'endedAt', ws.workout_end_utc, 'split', s.name,
      'exercise', e.name, 'weightsKg', et.weight, 'reps', et.reps, 'notes', et.notes
    ) as content
  from workout_summary ws
  join workoutsplits s on s.id = ws.workoutsplit_id
  join exercisetracking et on et.workout_summary_id = ws.id
  join exercisetoworkoutsplit ets on ets.id = et.exercisetosplit_id
  join exercises e on e.id = ets.exercise_id
  where ws.user_id = $1
    and ($2::bigint is null or et.id > $2::bigint)
  order by et.id
  limit $3`;

const records = sql<SectionRow>('archive.records')`
  select
    r.exercise_id::text as key,
    jsonb_build_object(
      'exercise', e.name, 'weightKg', r.pr_weight, 'reps', r.pr_reps, 'workoutStartedAt', r.pr_start_utc,
      'oneRepMaxKg', r.one_rep_max
    ) as content
  from exercise_records r
  join exercises e on e.id = r.exercise_id
  where r.user_id = $1
    and ($2::bigint is null or r.exercise_id > $2::bigint)
  order by r.exercise_id
  limit $3`;

const cardio = sql<SectionRow>('archive.cardio')`
  select
    a.id::text as key,
    jsonb_build_object(
      'type', a.type, 'minutes', a.duration_mins, 'seconds', a.duration_sec, 'at', a.workout_time_utc
    ) as content
  from aerobictracking a
  where a.user_id = $1
    and ($2::bigint is null or a.id > $2::bigint)
  order by a.id
  limit $3`;

const messages = sql<SectionRow>('archive.messages')`
  select
    m.id::text as key,
    jsonb_build_object(
      'subject', m.subject, 'message', m.msg, 'sentAt', m.sent_at, 'isRead', m.is_read, 'deletedAt', m.deleted_at
    ) as content
  from messages m
  where m.receiver_id = $1
    and ($2::uuid is null or m.id > $2::uuid)
  order by m.id
  limit $3`;

const measurements = sql<SectionRow>('archive.measurements')`
  select
    m.id::text as key,
    jsonb_build_object('id', m.id, 'kind', m.kind, 'value', m.value, 'unit', m.unit, 'at', m.measured_at) as content
  from measurements m
  where m.user_id = $1
    and ($2::uuid is null or m.id > $2::uuid)
  order by m.id
  limit $3`;

const aliases = sql<SectionRow>('archive.aliases')`
  select
    a.id::text as key,
    jsonb_build_object('nameInFiles', a.name, 'exercise', e.name) as content
  from exercise_aliases a
  join exercises e on e.id = a.exercise_id
  where a.owner_id = $1
    and ($2::bigint is null or a.id > $2::bigint)
  order by a.id
  limit $3`;

const imports = sql<SectionRow>('archive.imports')`
  select
    i.id::text as key,
    jsonb_build_object(
      'id', i.id, 'createdAt', i.created_at, 'state', i.state, 'source', i.source, 'timeZone', i.time_zone,
      'unit', i.unit, 'workouts', i.total, 'added', i.added
    ) as content
  from imports i
  where i.user_id = $1
    and ($2::uuid is null or i.id > $2::uuid)
  order by i.id
  limit $3`;

const usualTimes = sql<SectionRow>('archive.usualTimes')`
  select
    usi.split_id::text as key,
    jsonb_build_object(
      'split', s.name, 'usualTime', usi.estimated_time_utc, 'confidence', usi.confidence,
      'weekday', usi.preferred_weekday
    ) as content
  from user_split_information usi
  join workoutsplits s on s.id = usi.split_id
  where usi.user_id = $1
    and ($2::bigint is null or usi.split_id > $2::bigint)
  order by usi.split_id
  limit $3`;

const sessions = sql<SectionRow>('archive.sessions')`
  select
    s.id::text as key,
    jsonb_build_object(
      'id', s.id, 'name', s.name, 'createdAt', s.created_at, 'lastUsedOn', s.last_used_on, 'expiresAt', s.expires_at
    ) as content
  from other_sessions s
  where s.user_id = $1
    and ($2::uuid is null or s.id > $2::uuid)
  order by s.id
  limit $3`;

const securityEvents = sql<SectionRow>('archive.securityEvents')`
  select
    e.id::text as key,
    jsonb_build_object('kind', e.kind, 'at', e.occurred_at, 'requestId', e.request_id) as content
  from security_events e
  where e.user_id = $1
    and ($2::bigint is null or e.id > $2::bigint)
  order by e.id
  limit $3`;

/** Name of the file → where its rows are. The log itself is beside them, in its own form. */
export const SECTIONS: Record<string, SectionQuery> = {
  profile,
  'linked-sign-ins': linkedSignIns,
  plans,
  'app-workouts': appWorkouts,
  records,
  'usual-times': usualTimes,
  cardio,
  messages,
  measurements,
  'exercise-names': aliases,
  imports,
  sessions,
  'security-events': securityEvents,
};
