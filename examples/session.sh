#!/bin/bash
# Prints docs/session.md: what a terminal of 80 and of 140 columns shows. Needs tmux, and "npm run build" before.
#   examples/session.sh > docs/session.md
set -eu
root=$(realpath "$(dirname "$0")/..")
# As long as the name that is shown, so that lines break where they would.
home=$(mktemp -d /tmp/sXXXX)
shown=/home/anna
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin"
ln -s "$root/bin/xsync.js" "$home/bin/xsync"

# Runs a command in a window of the given width, and prints what is on the screen when it has ended.
screen() {
  local width=$1 command=$2 server=xsync-$$-$RANDOM
  tmux -L "$server" -f /dev/null new-session -d -x "$width" -y 50 \
    "cd '$home' && PATH='$home/bin':\$PATH HOME='$home' XDG_STATE_HOME= XDG_CONFIG_HOME= sh -c '$command'; touch '$home/.ended'; sleep 60"
  while [ ! -e "$home/.ended" ]; do sleep 0.1; done
  sleep 0.3
  printf '$ %s\n' "$command"
  tmux -L "$server" capture-pane -p | sed -e "s|$home|$shown|g" -e 's/[[:space:]]*$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
  tmux -L "$server" kill-server
  rm "$home/.ended"
  echo
}

session() {
  local width=$1
  rm -rf "$home/.local" "$home/photos" "$home/backup"
  mkdir -p "$home/photos/2025" "$home/photos/2026" "$home/backup/2026/index"
  for i in 1 2 3; do
    head -c 200000 /dev/zero >"$home/photos/2025/img_000$i.jpg"
    head -c 300000 /dev/zero >"$home/photos/2026/img_000$i.jpg"
  done
  echo 'a file here, a folder there' >"$home/photos/2026/index"
  echo 'not from xsync' >"$home/backup/2026/index/notes.txt"
  printf '## %s columns\n\n```\n' "$width"
  screen "$width" 'xsync copy photos backup'
  screen "$width" 'xsync status photos backup'
  screen "$width" 'xsync failed'
  mv "$home/backup/2026/index" "$home/backup/2026/old"
  printf '$ mv backup/2026/index backup/2026/old\n\n'
  screen "$width" 'xsync retry photos backup'
  rm "$home/photos/2025/img_0001.jpg"
  printf '$ rm photos/2025/img_0001.jpg\n\n'
  screen "$width" 'xsync sync photos backup'
  printf '```\n\n'
}

cat <<'TEXT'
# A session

One object fails, because a folder has its name at the destination. It is found with `status` and `failed`, and copied
with `retry` after the folder was renamed. Then `sync` deletes what is gone from the source, and keeps what xsync did not
write. A terminal shows this; `examples/session.sh` captures it.

TEXT
session 80
session 140
