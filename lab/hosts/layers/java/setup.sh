#!/bin/sh
# A chat server with the release's Java. Runs once, inside the new file system (chroot).
set -eu

apt-get install --yes --no-install-recommends --quiet=2 "$JDK"
