#!/usr/bin/env bash
# Keeps the database in one file, by PostgreSQL's own tools, beside running servers:
#   PGHOST=… PGUSER=… PGPASSWORD=… PGDATABASE=strong_together ops/backup.sh FILE
# The login must see all rows (a superuser, or one with BYPASSRLS), and the tools must be as new as the server.
# Redis needs no backup. Pictures on a disk and the secrets are kept separately: without the secrets everybody signs
# in again.
set -euo pipefail
if [ $# != 1 ]; then
  echo 'Usage: ops/backup.sh FILE' >&2
  exit 2
fi
part="$1.part"
trap 'rm -f "$part"' EXIT
umask 077
pg_dump --format=custom --file="$part"
pg_restore --list "$part" > /dev/null # it is whole
mv "$part" "$1"
