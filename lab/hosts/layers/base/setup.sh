#!/bin/sh
# Every host of the lab: users, ssh, firewall. Runs once, inside the new file system (chroot).
set -eu

apt-get update

# The packaging of openjdk links manual pages even where dpkg leaves them out.
mkdir -p /usr/share/man/man1

# A server that has run for years has the libraries that a JDK needs, but no Java: that is the stack's to install. The
# packages are in the apt cache from now on, since it does so on two hosts at once.
apt-get install --yes --no-install-recommends --quiet=2 "$JDK"
apt-mark showauto | xargs apt-mark manual >/dev/null
dpkg-query --show --showformat '${Package}\n' 'openjdk-*' ca-certificates-java java-common | xargs dpkg --purge

groupadd --gid 1000 jtel
useradd --uid 1000 --gid jtel --create-home --shell /bin/bash jtel
useradd --uid 1001 --create-home --shell /bin/bash deploy
printf 'deploy ALL=(ALL) NOPASSWD: ALL\n' | install -m 0440 /dev/stdin /etc/sudoers.d/deploy

# Each host gets its own host key and machine id when it is made.
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id

# No name server: names come from /etc/hosts.
rm -f /etc/resolv.conf
: > /etc/resolv.conf

printf 'LANG=C.UTF-8\n' > /etc/default/locale
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
printf 'Europe/Berlin\n' > /etc/timezone

# Background apt runs would hold the lock at moments that nobody chose.
systemctl mask apt-daily.timer apt-daily-upgrade.timer

ufw allow 22/tcp
