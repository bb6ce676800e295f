#!/usr/bin/env bash
# ./test.sh                install what is missing, build, run every test; also under sanitizers; fuzz for half a minute each
# ./test.sh --long         run every acceptance script of tests/long/, resuming where an earlier run stopped
# ./test.sh --long NAME    run one; its figures go to docs/results/NAME.json
set -euo pipefail
cd "$(dirname "$0")"

build() { # PRESET
	cmake --preset "$1" >"build/$1.log" 2>&1 && cmake --build --preset "$1" >>"build/$1.log" 2>&1 && return
	tail -60 "build/$1.log" >&2
	echo "test.sh: the build of preset $1 failed; the whole log is build/$1.log" >&2
	exit 1
}

passed=0 failed=0
check() { # PRESET CTEST-ARGUMENTS…
	local preset=$1 total bad
	shift
	echo "== $preset: building"
	build "$preset"
	echo "== $preset: testing"
	ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --no-tests=error "$@" 2>&1 |
		tee "build/$preset.tests" | grep -v '^ *Start ' || true
	total=$(sed -n 's/.* tests failed out of \([0-9]*\)$/\1/p' "build/$preset.tests")
	bad=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of.*/\1/p' "build/$preset.tests")
	if [ -z "$total" ]; then
		echo "test.sh: ctest gave no summary for preset $preset" >&2
		exit 1
	fi
	passed=$((passed + total - bad)) failed=$((failed + bad))
}

# The fuzzer comes with clang and its run-time library.
can_fuzz() {
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address,undefined -x c -o build/can_fuzz - >build/can_fuzz.log 2>&1
}

.ci/setup
mkdir -p build

if [ "${1:-}" = --long ]; then
	build release
	names=("${2:-}")
	[ -n "${2:-}" ] || mapfile -t names < <(cd tests/long && ls -- *.py | sed 's/\.py$//')
	for name in "${names[@]}"; do
		if [ ! -f "tests/long/$name.py" ]; then
			echo "test.sh: no acceptance script \"$name\"; there are: $(cd tests/long && ls -- *.py | sed 's/\.py$//' | tr '\n' ' ')" >&2
			exit 2
		fi
		echo "== $name"
		/usr/bin/python3 "tests/long/$name.py" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ]
	exit
fi
if [ $# -gt 0 ]; then
	echo "usage: ./test.sh [--long [NAME]]" >&2
	exit 2
fi

rm -rf build/skipped # why tests could not be done here, a file each
check dev
check asan-ubsan -LE no-sanitizer
check tsan -L threads
if can_fuzz; then
	check fuzz -L fuzz
else
	mkdir -p build/skipped
	echo "nothing was fuzzed: no clang that links libFuzzer: $(tail -1 build/can_fuzz.log)" >build/skipped/fuzz
fi
for reason in build/skipped/*; do
	[ ! -f "$reason" ] || echo "SKIPPED: $(cat "$reason")"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
