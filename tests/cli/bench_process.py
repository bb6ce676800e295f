"""A plant, a bench process on it and a client, for scripts that look at what they do together."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import msgpack
import zmq


class Process:
    """A program that says on standard error when it is ready; what it says is kept."""

    def __init__(self, arguments, ready, timeout=60, **popen):
        self.said = []
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **popen)
        self.is_ready, self.has_said = False, threading.Event()
        self.listener = threading.Thread(target=self._listen, args=(ready,), daemon=True)
        self.listener.start()
        if not self.has_said.wait(timeout) or not self.is_ready:
            self.process.kill()
            self.listener.join(10)
            raise AssertionError(f"{arguments[1]} was not ready within {timeout} s:\n{self.text()}")

    def _listen(self, ready):
        for line in self.process.stderr:
            self.said.append(line)
            if ready in line:
                self.is_ready = True
                self.has_said.set()
        self.has_said.set()  # it has ended, with or without

    def text(self):
        return "".join(self.said)

    def end(self, how=signal.SIGINT, timeout=60):
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout)
        self.listener.join(10)
        return status


def plant(jostle, bench, name, log, *more):
    """jostle plant, with real-time priority where it is granted, and its log when it has ended."""
    return Process([jostle, "plant", "--bench", bench, "--name", name, "--log", log, "--realtime", *more], "is ready")


def run(jostle, bench, name, folder, *more, attach=True, **popen):
    """jostle run, listening in a folder; attached to the plant of the same name."""
    arguments = [jostle, "run", "--bench", bench, "--name", name, "--telemetry", f"ipc://{folder}/telemetry",
                 "--commands", f"ipc://{folder}/commands", "--doctor", "0", *more]
    return Process(arguments + (["--attach", name] if attach else []), "ready: ", **popen)


class Client:
    """Sends commands to a bench process that listens in a folder."""

    def __init__(self, folder, timeout=20):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, int(timeout * 1000))
        self.socket.connect(f"ipc://{folder}/commands")
        self.number = 0

    def ask(self, command, **fields):
        """The answer, whatever it is."""
        self.number += 1
        self.socket.send(msgpack.packb({"v": 1, "id": self.number, "command": command, **fields}))
        while True:
            answer = msgpack.unpackb(self.socket.recv())
            if answer.get("id") == self.number:
                return answer

    def do(self, command, **fields):
        """The answer of a command that must be carried out."""
        answer = self.ask(command, **fields)
        assert answer["ok"], f"{command} {fields}: {answer}"
        return answer

    def go(self, patience=30):
        """To RUNNING from wherever the supervisor is: stop, reset, arm, run, each asked for until it is granted."""
        until = time.monotonic() + patience
        while self.do("status")["state"] != "RUNNING":
            for command in {"FAULT": ["reset"], "SAFE": [], "IDLE": ["arm"], "ARMED": ["run"]}[self.do("status")["state"]]:
                self.ask(command)
            assert time.monotonic() < until, self.do("status")
            time.sleep(0.01)

    def wait(self, condition, patience=30):
        """The first status of which the condition holds."""
        until = time.monotonic() + patience
        while True:
            status = self.do("status")
            if condition(status):
                return status
            assert time.monotonic() < until, status
            time.sleep(0.02)

    def close(self):
        self.context.destroy(linger=0)


@contextlib.contextmanager
def bench(jostle, name_of_bench, folder, *more, plant_more=()):
    """A plant with its log at folder/plant.h5, a bench process on it, a client; all ended at the end."""
    name = f"test-{os.getpid()}"
    device = plant(jostle, name_of_bench, name, f"{folder}/plant.h5", *plant_more)
    process = client = None
    try:
        process = run(jostle, name_of_bench, name, folder, *more)
        client = Client(folder)
        yield device, process, client
    finally:
        if client:
            client.close()
        if process:
            process.process.send_signal(signal.SIGCONT) if process.process.poll() is None else None
            process.end()
        device.end()
