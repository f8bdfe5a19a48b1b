#!/bin/sh
# The login of the server: owns its database and may create roles; no superuser, so row-level security binds it.
set -eu
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 --set password="$SERVER_PASSWORD" <<'SQL'
create role strong_together login createrole nosuperuser nobypassrls password :'password';
create database strong_together owner strong_together;
SQL
