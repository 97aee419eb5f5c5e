#!/bin/sh
# The database master, with the web server of the portal beside it. Runs once, inside the new file system (chroot).
set -eu

systemctl enable portal.service
ufw allow 3306/tcp
ufw allow 8080/tcp
