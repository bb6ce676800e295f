#!/bin/bash
# killed.sh JOSTLE PLANT VOLTS BENCH N: loops that die while they drive cards leave safe volts, read back from the cards.
# catches: outputs that hold what a dead loop wrote last, a guardian that knows only simulated benches, or only one card
set -eu
jostle=$1 plant=$2 volts=$3 bench=$4 n=$5
. "$(dirname "$0")/cards.sh" "$bench"

send() { "$jostle" send --commands ipc:///tmp/job/commands "$@" >answer || fail "$* was refused"; }
go() { # to RUNNING, also where a loop that has just been loaded was late once more and tripped
	for _ in $(seq 20); do
		for command in reset arm run; do
			(send $command) >refused || true
		done
		send status
		! grep -q "^state: RUNNING" answer || return 0
	done
	fail "expected the loop to run"
}
fail() {
	echo "$*"
	cat answer said
	exit 1
}
expect() { # WHEN VOLTS
	local found
	found=$(actuators "$volts")
	echo "$1: $found"
	[ "$found" = "$2" ] || fail "expected $2 V"
}

"$plant" $sites &
for _ in $(seq "$n"); do
	rm -f said
	"$jostle" run --bench "$bench" --name killed --telemetry ipc:///tmp/job/telemetry --doctor 0 \
		--commands ipc:///tmp/job/commands --override "a virtual machine" --record /tmp/job 2>said &
	loop=$!
	for _ in $(seq 100); do
		! grep -qs ready: said || break
		sleep 0.1
	done
	go
	send manual output=0 volts=3
	send manual output=1 volts=-2
	sleep 0.05
	expect driven "3.000 -2.000"
	kill -KILL $loop
	sleep 0.2 # 50 periods until the guardian takes over, and its way to 0 V
	expect killed "0.000 0.000"
done
kill %1
wait
