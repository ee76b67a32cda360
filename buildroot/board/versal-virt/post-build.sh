#!/bin/sh
# post-build.sh TARGET_DIR: what Buildroot's own init scripts bring and this board has no use for.
set -eu

# There are no modules.
rm -f "$1/etc/init.d/S11modules"
