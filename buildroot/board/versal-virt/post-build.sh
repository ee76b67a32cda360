#!/bin/sh
# post-build.sh TARGET_DIR: what Buildroot's own init scripts bring and this board has no use for.
set -eu

# There are no modules.
rm -f "$1/etc/init.d/S11modules"
# rcS mounts the control groups and hands the controllers down. A second mount would hide the first.
rm -f "$1/etc/init.d/S30cgroupfs2"
# Daemons are started by those who want them.
rm -f "$1/etc/init.d/S60dockerd"
