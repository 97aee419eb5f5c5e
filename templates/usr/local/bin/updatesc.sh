#!/bin/sh
# Update ClientMessenger from the share: stop, replace bin/, start. Goes back to the old bin/ when the new one does not start.
set -eu

source={{source}}
target={{target}}

[ -d "$source" ] || { echo "updatesc.sh: $source is missing. Is the share mounted?" >&2; exit 1; }

rm -rf "$target.new"
cp -R "$source" "$target.new"
chown -R jtel:jtel "$target.new"

systemctl stop {{unit}}
rm -rf "$target.old"
mv "$target" "$target.old"
mv "$target.new" "$target"

if ! systemctl start {{unit}} || ! sleep 3 || ! systemctl is-active --quiet {{unit}}; then
  echo "updatesc.sh: the new program does not start; the old one is put back" >&2
  rm -rf "$target"
  mv "$target.old" "$target"
  systemctl restart {{unit}}
  exit 1
fi
rm -rf "$target.old"
