#!/bin/sh
# Runs the tests of the release before against the database of this one: during a deploy both are at work, so what this
# release does to the schema must leave the one before as it was (docs/operations.md, "A new release").
#   scripts/previousRelease.sh [ref of git, by default the newest tag v…]
set -eu

cd "$(dirname "$0")/.."
ref=${1:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}
if [ -z "$ref" ]; then
  echo 'There is no release yet: no tag v….'
  exit 0
fi

folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/before"; rm -rf "$folder"' EXIT
git worktree add --quiet --detach "$folder/before" "$ref"
rm -rf "$folder/before/db"
cp -R db "$folder/before/db"

cd "$folder/before"
npm ci --no-audit --no-fund --loglevel=error
# What the features do, through HTTP and sockets. Tests of the schema itself speak of the one that they came with.
npx vitest run src/features
