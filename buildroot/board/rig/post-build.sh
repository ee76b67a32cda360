#!/bin/sh
# post-build.sh TARGET_DIR: the keys that the rig logs in with, for dropbear.
#
# HYBRID_BOARD_KEYS names a folder with authorized_keys and dropbear_ed25519_host_key, such as `hil image keys` prints.
# Without it nothing is changed: an image may have keys of its own.
set -eu

target=$1

if [ -n "${HYBRID_BOARD_KEYS:-}" ]; then
	# The package points it at /var/run, where a new host key would be made at each boot.
	[ ! -L "$target/etc/dropbear" ] || rm "$target/etc/dropbear"
	install -D -m 0600 "$HYBRID_BOARD_KEYS/dropbear_ed25519_host_key" "$target/etc/dropbear/dropbear_ed25519_host_key"
	install -D -m 0644 "$HYBRID_BOARD_KEYS/authorized_keys" "$target/root/.ssh/authorized_keys"
elif [ ! -e "$target/root/.ssh/authorized_keys" ]; then
	echo "post-build.sh: nobody can log in over SSH; give a folder with keys in HYBRID_BOARD_KEYS" >&2
fi
