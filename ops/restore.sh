#!/usr/bin/env bash
# Brings a backup back, into a database that it makes, as a superuser of any cluster (also of a newer version):
#   PGHOST=… PGUSER=… PGPASSWORD=… ops/restore.sh FILE DATABASE LOGIN
# LOGIN owns the tables, as before, and is the one that migrates. Afterwards: npm run doctor, npm start.
set -euo pipefail
if [ $# != 3 ]; then
  echo 'Usage: ops/restore.sh FILE DATABASE LOGIN' >&2
  exit 2
fi
file=$1 database=$2 login=$3
pg_restore --list "$file" > /dev/null
ask() { psql --dbname="$1" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=login="$login"; }

if [ "$(ask postgres <<< "select count(*) from pg_roles where rolname = :'login'")" = 0 ]; then
  echo "There is no login $login: create role $login login createrole password '…'" >&2
  exit 1
fi
ask postgres << 'SQL'
select format('create role %I nologin', r.name)
from unnest(array['authenticated', 'service']) as r (name)
where to_regrole(r.name) is null
\gexec
-- From PostgreSQL 16 on, the login can switch to the roles without inheriting their rights.
select format(
  'grant authenticated, service to %I with admin option%s',
  :'login',
  case when current_setting('server_version_num')::int >= 160000 then ', inherit false, set true' else '' end
)
\gexec
SQL
createdb --owner="$login" "$database" # refuses one that is there
pg_restore --exit-on-error --single-transaction --dbname="$database" "$file"
vacuumdb --analyze-only --quiet "$database"
