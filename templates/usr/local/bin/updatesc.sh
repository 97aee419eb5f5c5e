#!/bin/sh
# Update ClientMessenger from the share: stop, replace bin/, start. Goes back to the old bin/ when the new one does not start.
set -eu

source='{{source}}'
target='{{target}}'
# Hidden names: what is only there during the update is not part of the release.
new="${target%/*}/.bin.new"
old="${target%/*}/.bin.old"

[ -d "$source" ] || { echo "updatesc.sh: $source is missing. Is the share mounted?" >&2; exit 1; }

rm -rf "$new" "$old"
cp -R "$source" "$new"
chown -R jtel:jtel "$new"

put_back() {
  echo "updatesc.sh: the update failed; the old program is put back" >&2
  [ ! -d "$old" ] || { rm -rf "$target"; mv "$old" "$target"; }
  systemctl restart {{unit}}
}
trap put_back EXIT

systemctl stop {{unit}}
mv "$target" "$old"
mv "$new" "$target"
systemctl start {{unit}}
sleep 3
systemctl is-active --quiet {{unit}}

trap - EXIT
rm -rf "$old"
