#!/bin/bash
# sample.sh JOSTLE PLANT PROTOCOL BENCH N OUT: draw N samples through cards with a plant behind them, in virtual time.
# catches: a tick that takes longer than its period, waits for another process, or is woken late: not one slot may be missed
set -euo pipefail
. "$(dirname "$0")/cards.sh" "$4"

# While the plant ticks, idle time may be leapt over (init): no leap is longer than its period.
keep_busy() { [ ! -f /run/never_idle ] || kill "-$1" "$(cat /run/never_idle)"; }

"$2" $sites &
plant=$!
sleep 0.2
keep_busy STOP
trap 'keep_busy CONT' EXIT
"$1" sample --bench "$4" --protocol "$3" --out "$6" -n "$5" --t-final 3 --arm | tee report
kill $plant
wait $plant || [ $? -eq 143 ] # ended by that, and by nothing before
if ! grep -q "^ *loop .* 0 missed, 0 samples redone" report; then
	echo "expected no missed slots"
	exit 1
fi
