#!/bin/bash
# uart.sh DEVICE CONFORMANCE BENCH: a device on one of two UARTs that are wired together, the driver on the other.
# catches: line settings, reads or time-outs that only a pseudo terminal forgives
set -eu
sed 's|^devices:.*|devices: [/dev/ttyS1]|; s|^baud:.*|baud: 115200|' "$3" >"$(basename "$3")"
"$1" --plant lattice-4x4 --period 0.01 --tty /dev/ttyS2 --baud 115200 &
sleep 0.5
status=0
"$2" "serial=/tmp/work/$(basename "$3")" || status=$?
kill %1
wait
exit $status
