#!/bin/sh
# inside.sh TREE [FOLDER…] -- COMMAND…: COMMAND in TREE, with FOLDERs of this machine to read at the same places.
# The first process of a pid namespace, in a mount namespace of its own: with it all it mounted and started is gone.
set -eu
tree=$1
shift
mount --bind "$tree" "$tree"
while [ "$1" != -- ]; do
	mkdir -p "$tree$1"
	mount --bind "$1" "$tree$1"
	mount -o remount,bind,ro "$tree$1"
	shift
done
shift

mount -t proc proc "$tree/proc"
mount -t sysfs -o ro sysfs "$tree/sys"
mount -t tmpfs -o mode=755 tmpfs "$tree/run"
# device nodes of a file system that is mounted without `nodev`, and none of a disk
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
for node in null zero full random urandom tty; do
	: > "$tree/dev/$node"
	mount --bind "/dev/$node" "$tree/dev/$node"
done
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$tree/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
ln -s pts/ptmx "$tree/dev/ptmx"
ln -s /proc/self/fd "$tree/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
	ln -s "/proc/self/fd/${number%:*}" "$tree/dev/${number#*:}"
done

# Not chroot: a process in one may make no user namespace (user_namespaces(7)), and its root is no mount point.
cd "$tree"
pivot_root . .
# the caller's folders are out of sight from here on
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umount -l .
exec "$@"
