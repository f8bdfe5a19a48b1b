-- The app's words in what is stored for it: muscle groups of splits, as app.pictured_muscle writes them from now on, and
-- letters for splits that the app has called null, undefined or NaN. No trigger runs, because it would lock everybody's row:
-- the version of the catalogue, on which every such answer depends, is raised in its place.
alter table workoutsplits disable trigger user;
-- The owner does not see people's rows, service does; in a new database, where there are none, it has no rights yet.
select set_config('role', 'service', true) where has_table_privilege('service', 'workoutsplits', 'update');

with worded as (
  select
    ets.workoutsplit_id,
    e.targetmuscle,
    case e.targetmuscle
      when 'Legs' then case
        when e.specifictargetmuscle ~* 'ham' then 'Hamstrings'
        when e.specifictargetmuscle ~* 'cal[fv]|soleus' then 'Calves'
        when e.specifictargetmuscle ~* 'adduct|inner|groin' then 'Adductors'
        else 'Quads'
      end
      when 'Chest' then case
        when e.specifictargetmuscle ~* 'upper|incline|clavic' then 'Upper'
        else 'Major'
      end
      when 'Back' then case
        when e.specifictargetmuscle ~* 'low|erector|spin' then 'Lower'
        when e.specifictargetmuscle ~* 'trap|upper|rhomb|neck' then 'Traps'
        else 'Lats'
      end
      when 'Shoulders' then case
        when e.specifictargetmuscle ~* 'front|anterior' then 'Front'
        when e.specifictargetmuscle ~* 'rear|posterior' then 'Rear'
        else 'Delts'
      end
      when 'Triceps' then case
        when e.specifictargetmuscle ~* 'long' then 'Long'
        when e.specifictargetmuscle ~* 'medial' then 'Medial'
        else 'Lateral'
      end
      when 'Biceps' then case
        when e.specifictargetmuscle ~* 'long' then 'Long'
        else 'Short'
      end
      else e.specifictargetmuscle
    end as specific
  from exercisetoworkoutsplit ets
  join exercises e on e.id = ets.exercise_id
  where ets.is_active
),
by_muscle as (
  select
    w.workoutsplit_id,
    w.targetmuscle,
    string_agg(distinct w.specific, ', ' order by w.specific) as specifics
  from worded w
  group by w.workoutsplit_id, w.targetmuscle
),
grouped as (
  select
    m.workoutsplit_id,
    string_agg(m.targetmuscle || ' (' || m.specifics || ')', ', ' order by m.targetmuscle) as muscle_group
  from by_muscle m
  group by m.workoutsplit_id
)
update workoutsplits s
set muscle_group = g.muscle_group
from grouped g
where s.id = g.workoutsplit_id
  and s.muscle_group is distinct from g.muscle_group;

-- The n-th split of a plan without a name gets the n-th letter that the plan never had. Without a letter left it stays.
with nameless as (
  select s.id, s.workout_id, row_number() over (partition by s.workout_id order by s.id) as n
  from workoutsplits s
  where s.name in ('null', 'undefined', 'NaN')
),
free as (
  select p.workout_id, l.letter, row_number() over (partition by p.workout_id order by l.letter) as n
  from (select distinct x.workout_id from nameless x) p
  cross join (select chr(c) as letter from generate_series(ascii('A'), ascii('Z')) as c) l
  where not exists (select from workoutsplits s where s.workout_id = p.workout_id and s.name = l.letter)
)
update workoutsplits s
set name = f.letter
from nameless x
join free f on f.workout_id = x.workout_id and f.n = x.n
where s.id = x.id;

reset role;
select set_config('role', 'service', true) where has_table_privilege('service', 'shared_versions', 'update');
update shared_versions v
set catalogue_version = pg_current_xact_id()::text::bigint;

reset role;
alter table workoutsplits enable trigger user;
