-- The best of each block, beside it: records of twenty years read a row a block instead of a row a set.
alter table log_blocks
  add column heaviest_kg     real,             -- of sets that are no warm-ups, as are all of these
  add column heaviest_reps   bigint,           -- at that load
  add column one_rep_max     numeric,          -- estimated in kilograms, of sets that are no drops either
  add column most_reps       bigint,
  add column most_reps_kg    double precision, -- the heaviest with as many, 0 without a load
  add column most_set_kg     double precision, -- load times reps of one set
  add column volume_kg       double precision, -- of all its sets
  add column longest_sec     integer,
  add column farthest_m      numeric;

-- As app.sum_log_workouts does from now on.
with loaded as (
  select
    s.user_id,
    s.block_id,
    s.kind,
    s.reps,
    s.seconds,
    s.distance_m,
    case when s.weight > 0 and s.reps > 0 then s.weight * case s.unit when 'lb' then 0.45359237 else 1 end end as kg
  from log_sets s
  where s.kind <> 'warmup'
),
estimated as (
  select
    l.*,
    case
      when l.kind = 'drop' or l.reps > 12 then null
      when l.reps = 1 then l.kg::real::text::numeric
      when l.reps <= 5 then l.kg::real::text::numeric * (1 + 0.0333 * l.reps)
      when l.reps <= 10 then l.kg::real::text::numeric * 36 / (37 - l.reps)
      else l.kg::real::text::numeric * (1 + 0.025 * l.reps)
    end as one_rep_max
  from loaded l
),
best as (
  select
    e.user_id,
    e.block_id,
    max(array[e.kg::real::float8, e.reps::float8]) filter (where e.kg is not null) as heaviest,
    max(e.one_rep_max) filter (where e.kg is not null) as one_rep_max,
    max(array[e.reps::float8, coalesce(e.kg, 0)::float8]) filter (where e.reps > 0) as most_reps,
    max(e.kg::float8 * e.reps) as most_set_kg,
    sum(e.kg::float8 * e.reps) as volume_kg,
    max(e.seconds) filter (where e.seconds > 0) as longest_sec,
    max(e.distance_m) filter (where e.distance_m > 0) as farthest_m
  from estimated e
  group by e.user_id, e.block_id
)
update log_blocks b
set heaviest_kg = t.heaviest[1],
    heaviest_reps = t.heaviest[2],
    one_rep_max = t.one_rep_max,
    most_reps = t.most_reps[1],
    most_reps_kg = t.most_reps[2],
    most_set_kg = t.most_set_kg,
    volume_kg = t.volume_kg,
    longest_sec = t.longest_sec,
    farthest_m = t.farthest_m
from best t
where b.user_id = t.user_id
  and b.id = t.block_id;
