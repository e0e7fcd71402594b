#!/usr/bin/env bash
# Stops the processes of up.sh by process ID, waits for their end, and removes their folder.
set -u
run=${CEPH_RUN:-${TMPDIR:-/tmp}/xsync-ceph}
pids=$(cat "$run"/{client.rgw.a,osd.0,mon.a}.pid 2>/dev/null)

any_alive() {
  for pid in $pids; do kill -0 "$pid" 2>/dev/null && return 0; done
  return 1
}

for signal in TERM KILL; do
  for pid in $pids; do kill "-$signal" "$pid" 2>/dev/null; done
  for _ in {1..30}; do
    any_alive || break 2
    sleep 0.1
  done
done
rm -rf "$run"
