#!/usr/bin/env bash
# Runs a plan on hosts that you reach by SSH, one peer on each, and ends the peers afterwards:
#   ALLOW=file:///mnt/bench/ ssh.sh PLAN.yaml host1 host2 host3
# Needs this checkout at the same place on every host ($PACELINE), and $PORT open between them. The key is made for this
# run alone, and travels through SSH; peers leave when their connection ends, however this script does.
set -euo pipefail
plan=$1 first=$2
shift
paceline=${PACELINE:-/opt/paceline}/bin/paceline.js
port=${PORT:-4001}
run=ssh-$(date +%Y%m%d-%H%M%S)-$$
work=$(mktemp -d)
trap 'exec 3>&-; wait; rm -r "$work"' EXIT

node "$paceline" keygen "$work/run.key" 2> /dev/null
mkfifo "$work/open"
for host in "$@"; do
  (cat "$work/run.key" - < "$work/open") | ssh "$host" "
    umask 077; key=\$(mktemp); trap 'rm -f \$key' EXIT
    head -n 3 > \$key
    node '$paceline' node --run-id '$run' --name '$host' --secret-file \$key --listen '0.0.0.0:$port' \
      --join '$first:$port' --allow '${ALLOW:-null://}' --out \$HOME/paceline-results --log json --stop-on-eof
  " > "$work/$host.log" &
done
# Open until this script ends: then the peers read the end of their input.
exec 3> "$work/open"

node "$paceline" submit "$plan" --run-id "$run" --secret-file "$work/run.key" --peer "$first:$port" --wait 60 \
  --agents $# --out results
