"""An instrument on a pseudo terminal that speaks SCPI, rightly or as a test wants it."""
import os
import pty
import select
import threading
import time
import tty


class FakeInstrument:
    """A source of volts and a thermometer (in Celsius); `port` is a link that stays when it is plugged in again."""

    def __init__(self, port, identity="ACME,NG-1,0815,1.02"):
        self.port, self.identity = port, identity
        self.celsius, self.volts = 26.85, 0.0
        self.manner = "right"  # or "silent", "garbage"
        self.late_s = 0.0
        self.errors = []
        self.heard = []
        self.master = None
        self.plug_in()

    def plug_in(self):
        self.master, slave = pty.openpty()
        tty.setraw(self.master)
        tty.setraw(slave)
        if os.path.lexists(self.port):
            os.unlink(self.port)
        os.symlink(os.ttyname(slave), self.port)
        # The other side is kept open until somebody else has it open: without any, a pseudo terminal has hung up.
        self.slave = slave
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def unplug(self):
        self.end.set()
        self.thread.join()
        os.close(self.slave)
        os.close(self.master)
        os.unlink(self.port)

    def _serve(self):
        line = b""
        while not self.end.is_set():
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                line += os.read(self.master, 256)
            except OSError:
                time.sleep(0.01)
            while b"\n" in line:
                text, line = line.split(b"\n", 1)
                self._take(text.decode("ascii", "replace").strip())

    def _take(self, text):
        self.heard.append(text)
        if text.endswith("?"):
            time.sleep(self.late_s)
            if self.manner == "right":
                os.write(self.master, (self._answer(text) + "\r\n").encode())
            elif self.manner == "garbage":
                os.write(self.master, b"\x93\xff2\x00.1\r\n")
        elif text == "*CLS":
            self.errors.clear()
        elif text.startswith("SOUR:VOLT "):
            volts = float(text.split()[1])
            if 0 <= volts <= 5:
                self.volts = volts
            else:
                self.errors.append('-222,"Data out of range"')
        else:
            self.errors.append('-113,"Undefined header"')

    def _answer(self, text):
        if text == "*IDN?":
            return self.identity
        if text == "SYST:ERR?":
            return self.errors.pop(0) if self.errors else '0,"No error"'
        return f"{self.celsius if text == 'MEAS:TEMP?' else self.volts:+.6E}"
