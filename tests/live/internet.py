"""A wire with servers, a resolver and names, in which the command itself can run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.far_end import far_end
from tests.live.wires import SERVER, SERVER6, wire

NAMES = ("forum.test", "herbs.test")


class Internet:
    def __init__(self, cable, etc):
        self.cable, self.etc = cable, etc

    def resolvers(self, *addresses):
        (self.etc / "resolv.conf").write_text("".join(f"nameserver {a}\n" for a in addresses))

    def command(self, *words):
        inside = ["ip", "netns", "exec", self.cable.client]
        return [*inside, sys.executable, "-m", "fingerprint", *map(str, words)]

    def run(self, *words, folder, given=None, **environment):
        return subprocess.run(
            self.command(*words), cwd=folder, input=given, capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, **environment},
        )  # fmt: skip

    def start(self, *words, folder):
        return subprocess.Popen(
            self.command(*words),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rules(self):
        return subprocess.check_output(["ip", "netns", "exec", self.cable.client, "nft", "list", "ruleset"], text=True)

    def processes(self):
        found = subprocess.run(["ip", "netns", "pids", self.cable.client], capture_output=True, text=True, check=True)
        return found.stdout.split()


@contextlib.contextmanager
def internet(folder):
    with wire(routed=True) as cable, far_end(cable, folder):
        etc = Path("/etc/netns") / cable.client
        etc.mkdir(parents=True)
        try:
            made = Internet(cable, etc)
            made.resolvers(SERVER)
            hosts = [f"{address} {' '.join(NAMES)}\n" for address in (SERVER, SERVER6)]
            (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(hosts))
            yield made
        finally:
            shutil.rmtree(etc)
