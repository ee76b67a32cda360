#!/bin/sh
# post-build.sh TARGET_DIR: of the init scripts that packages bring, those of the board's overlay stay.
#
# There are no modules and no rules of iptables. Daemons are started by those who want them. rcS mounts the control
# groups, and a second mount would hide the first.
set -eu

ours=$(dirname "$0")/overlay/etc/init.d
for script in "$1"/etc/init.d/S??*; do
	[ -e "$ours/${script##*/}" ] || rm -f "$script"
done
