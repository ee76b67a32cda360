#!/bin/sh
# post-build.sh TARGET_DIR: the board's SSH keys. Nobody can log into an image made without any.
#
# HYBRID_BOARD_KEYS names a folder with authorized_keys and dropbear_ed25519_host_key, such as `hil image keys` prints.
set -eu

target=$1

# The package points it at /var/run, where a new host key would be made at each boot.
rm -rf "$target/etc/dropbear" "$target/root/.ssh"
mkdir "$target/etc/dropbear"
if [ -n "${HYBRID_BOARD_KEYS:-}" ]; then
	install -m 0600 "$HYBRID_BOARD_KEYS/dropbear_ed25519_host_key" "$target/etc/dropbear/"
	install -D -m 0644 "$HYBRID_BOARD_KEYS/authorized_keys" "$target/root/.ssh/authorized_keys"
else
	mkdir "$target/root/.ssh"
	echo "post-build.sh: no keys, nobody can log in over SSH; give a folder with HYBRID_BOARD_KEYS" >&2
fi
