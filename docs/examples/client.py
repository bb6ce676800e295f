#!/usr/bin/env python3
"""Draw samples from a bench that `jostle run` serves, and print them: client.py PROTOCOL.h5 N [TELEMETRY COMMANDS]"""
import sys

import msgpack
import zmq

protocol, n = sys.argv[1], int(sys.argv[2])
telemetry, commands = sys.argv[3:5] or ["tcp://127.0.0.1:7450", "tcp://127.0.0.1:7451"]
context = zmq.Context()
frames, bench = context.socket(zmq.SUB), context.socket(zmq.REQ)
frames.connect(telemetry)
frames.subscribe("sample")
frames.rcvtimeo = bench.rcvtimeo = 60_000  # ms: then zmq.Again is raised
bench.connect(commands)


def do(command, **fields):
    bench.send(msgpack.packb({"v": 1, "id": 1, "command": command, **fields}))
    answer = msgpack.unpackb(bench.recv())
    if not answer["ok"]:
        sys.exit(f"{command}: {answer['error']}")
    return answer


do("load-protocol", path=protocol)
program = do("sample", n=n)["program"]
steps = {"FAULT": "reset", "SAFE": "ping", "IDLE": "arm", "ARMED": "run"}  # SAFE becomes IDLE by itself
while (state := do("status")["state"]) != "RUNNING":
    do(steps[state])
for i in range(n):
    topic, frame = frames.recv_multipart()
    frame = msgpack.unpackb(frame)
    print(frame["program"] == program, frame["number"], *frame["x"])
do("stop")
