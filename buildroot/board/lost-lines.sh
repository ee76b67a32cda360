#!/bin/sh
# lost-lines.sh CONFIGURATION [FRAGMENT...]: fails when a line of a fragment is not in the configuration. Where two
# fragments set the same symbol the last one counts. Not set, and not known at all, are the same.
set -eu

configuration=$1
shift
[ $# -gt 0 ] || exit 0

lost=$(awk '
	function symbol(line) {
		sub(/^# /, "", line)
		sub(/[= ].*/, "", line)
		return line
	}
	!/^CONFIG_[A-Za-z0-9_]+=/ && !/^# CONFIG_[A-Za-z0-9_]+ is not set$/ { next }
	FILENAME == ARGV[1] { have[$0]; known[symbol($0)]; next }
	{ wanted[symbol($0)] = $0 }
	END {
		for (name in wanted)
			if (!(wanted[name] in have) && (wanted[name] !~ /is not set$/ || name in known))
				print "  " wanted[name]
	}' "$configuration" "$@" | sort)

if [ -n "$lost" ]; then
	printf '%s lacks lines of %s:\n%s\n' "$configuration" "$*" "$lost" >&2
	echo "add what they depend on to a fragment, or remove them" >&2
	exit 1
fi
