#!/bin/bash
# killed.sh JOSTLE PLANT VOLTS: a loop that dies while it drives a card leaves its outputs at safe volts, read back from the card.
# catches: outputs that hold what a dead loop wrote last, a guardian that knows only simulated benches
set -eu
jostle=$1 volts=$3

outputs() { "$volts" /dev/comedi0 | cut -d' ' -f1,2 | sed 's/-0.000/0.000/g'; }
send() { "$jostle" send --commands ipc:///tmp/work/commands "$@"; }
fail() {
	echo "$*"
	cat said
	exit 1
}

"$2" /dev/comedi0:0,/dev/comedi0:4 /dev/comedi0:1,/dev/comedi0:5 &
"$jostle" run --bench comedi-2 --name killed --telemetry ipc:///tmp/work/telemetry --commands ipc:///tmp/work/commands \
	--doctor 0 --override "a virtual machine" 2>said &
for _ in $(seq 100); do
	! grep -q ready: said || break
	sleep 0.1
done
for command in reset arm run; do
	send $command
done
send manual output=0 volts=3
send manual output=1 volts=-2
sleep 0.1
echo "driven: $(outputs)"
[ "$(outputs)" = "3.000 -2.000" ] || fail "expected the outputs at 3 and -2 V"
kill -KILL %2
sleep 0.2 # 50 periods until the guardian takes over, and its way to 0 V
echo "killed: $(outputs)"
[ "$(outputs)" = "0.000 0.000" ] || fail "expected the outputs at 0 V"
kill %1
wait
