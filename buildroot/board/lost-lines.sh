#!/bin/sh
# lost-lines.sh CONFIGURATION FOLDER [FRAGMENT...]: fails when an option that a fragment below FOLDER asks for is not in
# the configuration. Where fragments set the same symbol the last one counts, wherever it lies. What a fragment switches
# off and something else on again, such as a package that needs it, is only mentioned.
set -eu

configuration=$1
folder=$2
shift 2
[ $# -gt 0 ] || exit 0

findings=$(awk -v folder="$folder/" '
	function symbol(line) {
		sub(/^# /, "", line)
		sub(/[= ].*/, "", line)
		return line
	}
	!/^CONFIG_[A-Za-z0-9_]+=/ && !/^# CONFIG_[A-Za-z0-9_]+ is not set$/ { next }
	FILENAME == ARGV[1] { have[$0]; known[symbol($0)]; next }
	{ wanted[symbol($0)] = $0; ours[symbol($0)] = index(FILENAME, folder) == 1 }
	END {
		for (name in wanted)
			if (ours[name] && !(wanted[name] in have))
				if (wanted[name] !~ /is not set$/)
					print "lost: " wanted[name]
				else if (name in known)
					print "switched on after all: " name
	}' "$configuration" "$@" | sort)

[ -z "$findings" ] || printf 'of the fragments in %s\n%s\n' "$folder" "$findings" >&2
case $findings in
*lost:*)
	echo "$configuration lacks lines of a fragment; add what they depend on, or remove them" >&2
	exit 1
	;;
esac
