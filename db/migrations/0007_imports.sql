-- Files of other programs on their way into the log.
create table imports (
  user_id    uuid        not null references users (id) on delete cascade,
  id         uuid        not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  state      text        not null default 'preview' check (state in ('preview', 'committing', 'committed', 'undone')),
  source     text        not null,
  time_zone  text        not null,
  unit       text        check (unit in ('kg', 'lb')), -- what the person said, where the file says nothing
  duplicates text        not null default 'skip' check (duplicates in ('skip', 'import')),
  mapping    jsonb       not null default '{}', -- name in the file → id of an exercise, "create" or "skip"
  facts      jsonb       not null, -- what the preview says of the file: names, skipped lines, questions
  file       bytea, -- compressed; until it is committed
  total      integer     not null, -- workouts in the file
  done       integer     not null default 0, -- of these, how many were looked at
  added      integer     not null default 0,
  primary key (user_id, id)
);
create index imports_newest_idx on imports (user_id, created_at desc, id);

-- Its workouts as the file has them, until they are in the log.
create table import_workouts (
  user_id   uuid    not null,
  import_id uuid    not null,
  position  integer not null,
  id        uuid    not null, -- that it gets in the log: the same for the same workout of the same file
  content   jsonb   not null,
  primary key (user_id, import_id, position),
  foreign key (user_id, import_id) references imports (user_id, id) on delete cascade
);

-- Own exercises that an import made: an undo removes those that nothing else uses.
alter table exercises add column import_id uuid;
