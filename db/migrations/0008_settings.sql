-- What a person chose: units, the first day of a week. With zone and reminders they are one document, with a version.

alter table user_reminder_settings
  add column unit       text   not null default 'kg'
    constraint user_reminder_settings_unit_check check (unit in ('kg', 'lb')),
  add column week_start text   not null default 'monday'
    constraint user_reminder_settings_week_start_check
      check (week_start in ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
  add column version    bigint not null default 1;

-- Previews that nobody committed are forgotten.
create index imports_previews_idx on imports (created_at) where state = 'preview';
