#!/bin/bash
# uart.sh DEVICE CONFORMANCE BENCH: a device on one of two UARTs that are wired together, the driver on the other. At their
# 115200 baud there is time for two sites, not for the sixteen of BENCH.
# catches: line settings, reads or time-outs that only a pseudo terminal forgives
set -eu
sed -e 's|^devices:.*|devices: [/dev/ttyS1]|; s|^baud:.*|baud: 115200|; s|^lattice:.*|lattice: [2, 1]|' \
	-e 's|first_channel: 16|first_channel: 2|; s|^fallback:.*|fallback: two-oscillators|' "$3" >bench.yaml
"$1" --plant two-oscillators --period 0.01 --tty /dev/ttyS2 --baud 115200 &
sleep 0.5
status=0
"$2" serial=/tmp/job/bench.yaml || status=$?
kill %1
wait
exit $status
