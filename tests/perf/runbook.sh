#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The peer of the figure cutover_pause: what a carefully written runbook script does at the moment of the switch, a new psql for each
# step and a look every second. It expects replication to run already. Prints the milliseconds from the first PAUSE to the last RESUME.
#
#   runbook.sh LAB TEALCTL DATABASE…
set -euo pipefail
lab=$1
tealctl=$2
shift 2
databases=("$@")

blue() { "$tealctl" lab psql --dir "$lab" --side blue --database "$1" -- -qAtX -v ON_ERROR_STOP=1 -c "$2"; }
green() { "$tealctl" lab psql --dir "$lab" --side green --database "$1" -- -qAtX -v ON_ERROR_STOP=1 -c "$2"; }

pooler_port=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["poolers"][0]["port"])' "$lab/lab.json")
pooler() { PGPASSFILE=$lab/passfile psql -qAtX -h 127.0.0.1 -p "$pooler_port" -U pgb_admin -d pgbouncer -c "$1"; }

green_port=$(green postgres 'show port')
blue_port=$(blue postgres 'show port')
file=$lab/pgbouncer-1/databases.ini
now_ms() { echo $(($(date +%s%N) / 1000000)); }

begin=$(now_ms)
for database in "${databases[@]}"; do
    pooler "PAUSE $database"
done
for database in "${databases[@]}"; do
    blue postgres "ALTER DATABASE $database SET default_transaction_read_only = on"
    blue postgres "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '$database' AND usename = 'shop_app'" >/dev/null
done
for database in "${databases[@]}"; do
    end=$(blue "$database" 'SELECT pg_current_wal_lsn()')
    until [ "$(blue "$database" "SELECT bool_and(confirmed_flush_lsn >= '$end') FROM pg_replication_slots WHERE slot_name = 'runbook_$database'")" = t ]; do
        sleep 1
    done
done
for database in "${databases[@]}"; do
    blue "$database" "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname || sequencename !~ E'\\n'" |
        while IFS='|' read -r sequence value; do
            green "$database" "SELECT setval(\$q\$$sequence\$q\$::regclass, $value)" </dev/null >/dev/null
        done
done
cp "$file" "$file.before"
sed -i "s/port=$blue_port /port=$green_port /" "$file"
pooler RELOAD
for database in "${databases[@]}"; do
    pooler "RESUME $database"
done
echo $(($(now_ms) - begin))
