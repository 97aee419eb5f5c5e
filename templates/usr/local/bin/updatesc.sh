#!/bin/sh
# Update ClientMessenger from the share: stop, replace bin/, start. Goes back to the old bin/ when the new one does not start.
set -eu

source='{{source}}'
target='{{target}}'

[ -d "$source" ] || { echo "updatesc.sh: $source is missing. Is the share mounted?" >&2; exit 1; }

rm -rf "$target.new" "$target.old"
cp -R "$source" "$target.new"
chown -R jtel:jtel "$target.new"

put_back() {
  echo "updatesc.sh: the update failed; the old program is put back" >&2
  [ ! -d "$target.old" ] || { rm -rf "$target"; mv "$target.old" "$target"; }
  systemctl restart {{unit}}
}
trap put_back EXIT

systemctl stop {{unit}}
mv "$target" "$target.old"
mv "$target.new" "$target"
systemctl start {{unit}}
sleep 3
systemctl is-active --quiet {{unit}}

trap - EXIT
rm -rf "$target.old"
