#!/bin/sh
# duplicity: the passphrase comes from PASSPHRASE (or add --no-encryption). $1: what to back up, $2: the URL to put it.
exec ssblog run --job duplicity --lock --every 24h --grace 2h -- duplicity ${DUPLICITY_FLAGS:-} "${1:-$HOME}" "$2"
