#!/bin/bash
# slots.sh JOSTLE PLANT PROTOCOL: more than 10 000 periods of the loop at 1 kHz through a card with a plant behind it, while
# it draws samples. In virtual time not one slot may be missed.
# catches: a tick that takes longer than its period, waits for another process, or is woken late
set -eu
"$2" /dev/comedi0:0,/dev/comedi0:4 /dev/comedi0:1,/dev/comedi0:5 &
sleep 0.2
"$1" sample --bench comedi-2 --protocol "$3" --out samples.h5 -n 15 --t-final 3 --arm | tee report
kill %1
wait
read -r _ periods _ < <(grep '^ *loop ' report)
if [ "$periods" -lt 10000 ] || ! grep -q ' 0 missed, 0 samples redone' report; then
	echo "expected 10000 periods or more, none missed"
	exit 1
fi
