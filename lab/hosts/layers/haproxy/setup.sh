#!/bin/sh
# The load balancer of an existing customer. Runs once, inside the new file system (chroot).
set -eu

ufw allow 80/tcp
ufw allow 443/tcp
ufw allow 7777/tcp
