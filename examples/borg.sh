#!/bin/sh
# borg: the repository comes from BORG_REPO, the passphrase from BORG_PASSCOMMAND. $1: what to back up.
# It ends with 1 after warnings (a file changed while it was read): the archive is there, so that counts as ok.
exec ssblog run --job borg --lock --ok-exits 1 --every 24h --grace 2h -- \
  borg create --stats '::{hostname}-{now}' "${1:-$HOME}"
