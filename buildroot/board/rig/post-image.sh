#!/bin/sh
# post-image.sh BINARIES_DIR: makes images/ a folder that `hil boot --image` takes: beside Image, rootfs.ext4 and
# platform/ the kernel's configuration and symbols, the keys to log in with, and a manifest.
set -eu

images=$1
kernel=$HYBRID_LINUX_DIR

cp "$kernel/.config" "$images/kernel.config"
cp "$kernel/System.map" "$images/System.map"
rm -f "$images/host_key.pub" "$images/login_key"
if [ -n "${HYBRID_BOARD_KEYS:-}" ]; then
	install -m 0444 "$HYBRID_BOARD_KEYS/host_key.pub" "$images/host_key.pub"
	install -m 0600 "$HYBRID_BOARD_KEYS/login_key" "$images/login_key"
fi

for file in Image rootfs.ext4; do
	[ -e "$images/$file" ] || { echo "post-image.sh: no $images/$file" >&2; exit 1; }
done
hash=$(cat "$images/Image" "$images/rootfs.ext4" | sha256sum | cut -c -16)
release=$(cat "$kernel/include/config/kernel.release")

# Tests of an engine look for its name.
engines=
for engine in containerd:containerd docker:dockerd podman:podman; do
	if [ -e "$TARGET_DIR/usr/bin/${engine#*:}" ]; then
		engines="$engines${engines:+, }\"${engine%:*}\""
	fi
done

cat > "$images/manifest.json" <<MANIFEST
{
  "origin": "buildroot",
  "hash": "$hash",
  "created": "$(date -u +%Y-%m-%dT%H:%M:%S+00:00)",
  "buildroot": "$BR2_VERSION_FULL",
  "engines": [$engines],
  "kernel_version": "$release"
}
MANIFEST
