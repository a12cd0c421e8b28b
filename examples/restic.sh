#!/bin/sh
# restic: repository and password come from RESTIC_REPOSITORY and RESTIC_PASSWORD_FILE. $1: what to back up.
# It ends with 3 when some files could not be read: the snapshot is there, but look at it.
exec ssblog run --job restic --lock --timeout 12h --every 24h --grace 2h -- restic backup "${1:-$HOME}"
