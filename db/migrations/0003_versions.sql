-- For each part of a person's data, the transaction that changed it last: cached answers are kept under these numbers.
alter table users
  add column plan_version     bigint not null default 0,
  add column training_version bigint not null default 0,
  add column cardio_version   bigint not null default 0,
  add column inbox_version    bigint not null default 0,
  add column profile_version  bigint not null default 0;
alter table users set (fillfactor = 80); -- a version is written beside the row that it replaces, without the indexes

-- The same for what everybody's answers contain: one row.
create table shared_versions (
  only_row          boolean primary key default true check (only_row),
  catalogue_version bigint  not null default 0,
  senders_version   bigint  not null default 0 -- name or picture of somebody who wrote messages
);
insert into shared_versions default values;
