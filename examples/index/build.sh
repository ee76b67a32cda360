#!/bin/sh
# One name for the firmware of several boards: an image for each, listed in an index, pushed to a registry.
#   build.sh registry.example/motor:v1 [PUSH OPTION…]     in a folder with motor.elf
set -eu

index=${1:?name the index, such as registry.example/motor:v1}
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if podman manifest exists "$index"; then
	podman manifest rm "$index"
fi
podman manifest create "$index"
# On a descriptor of its own: podman reads standard input.
while read -r board mcu <&3; do
	image=localhost/motor:$mcu
	podman build --quiet --file "$here/../motor/Containerfile" \
		--label board="$board" --label mcu="$mcu" --tag "$image" .
	podman manifest add "$index" "containers-storage:$image"
done 3< "$here/boards"
podman manifest push --all "$@" "$index" "docker://$index"
