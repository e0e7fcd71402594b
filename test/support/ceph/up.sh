#!/usr/bin/env bash
# A real S3 server on loopback: one Ceph RGW with a monitor and a memory store. Needs root and Debian's
#   radosgw ceph-mon ceph-osd ceph-common
# Prints its endpoint; access key XSYNCTEST, secret key XSYNCTESTSECRET, region default. down.sh stops it.
#   RGW_PORT=9100      port on 127.0.0.1; the monitor uses the next two
#   CEPH_RUN=DIR       its folder; default ${TMPDIR:-/tmp}/xsync-ceph
set -euo pipefail

port=${RGW_PORT:-9100}
run=${CEPH_RUN:-${TMPDIR:-/tmp}/xsync-ceph}
conf=$run/ceph.conf

write_conf() {
  rm -rf "$run"
  mkdir -p "$run"/{mon,osd,log,rgw}
  cat >"$conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
run dir = $run
admin socket = $run/\$cluster-\$name.asok
pid file = $run/\$name.pid
log file = $run/log/\$name.log
crash dir = $run/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
debug ms = 0/0
debug osd = 0/0
debug rgw = 0/0
debug objecter = 0/0
debug rocksdb = 0/0
paxos propose interval = 0.02
paxos min wait = 0.01
mon osd min down reporters = 1
osd heartbeat grace = 600
mon data = $run/mon
mon data avail warn = 1
mon data avail crit = 1
ms bind ipv6 = false
[osd]
osd data = $run/osd
osd objectstore = memstore
memstore device bytes = 8G
osd class load list = *
osd class default list = *
[client.rgw.a]
ms mon client mode = crc
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw dns name = localhost
rgw data = $run/rgw
rgw run sync thread = false
rgw enable usage log = false
rgw relaxed s3 bucket names = true
rgw override bucket index max shards = 1
rgw dynamic resharding = false
CONF
}

# until_true SECONDS COMMAND…
until_true() {
  local tenths=$(($1 * 10))
  shift
  for ((i = 0; i < tenths; i++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "timed out waiting for: $*" >&2
  exit 1
}

osd_is_up() { [[ $(ceph -c "$conf" osd stat) == *"1 up"* ]]; }
port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

write_conf
export CEPH_CONF=$conf
fsid=$(sed -n 's/^fsid = //p' "$conf")
monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$run/monmap" >/dev/null
ceph-mon -c "$conf" -i a --mkfs --monmap "$run/monmap"
ceph-mon -c "$conf" -i a
until_true 20 timeout 5 ceph -c "$conf" --connect-timeout 3 mon stat
osd_uuid=$(cat /proc/sys/kernel/random/uuid)
ceph -c "$conf" osd new "$osd_uuid" >/dev/null
ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd_uuid" 2>>"$run/log/mkfs.log"
ceph-osd -c "$conf" -i 0
until_true 30 osd_is_up
radosgw -c "$conf" -n client.rgw.a --rgw-zone default 2>>"$run/log/rgw.err"
until_true 60 port_is_open
radosgw-admin -c "$conf" user create --uid=test --display-name=test \
  --access-key=XSYNCTEST --secret-key=XSYNCTESTSECRET >/dev/null 2>>"$run/log/admin.err"
echo "http://localhost:$port"
