"""The container image of examples/deployment: `python -m tests_full.image`.

Builds the Containerfile as it is, with Docker or Podman where one works, else with buildah, and uses the image as its
user with a read-only root: `rtfs --version`, `rtfs doctor`, the README's program, a sandboxed run, and the server with
its health check. buildah needs neither a daemon nor an image registry: the base image is then a stand-in of the same
name, made with debootstrap from Debian's packages. Run it as root then; it needs mount namespaces and chroot.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTAINERFILE = ROOT / "examples" / "deployment" / "Containerfile"
BASE = "python:3.13-slim"
DEBIAN = "trixie"
"""The Debian whose Python is that of the base image."""
IMAGE = "rtfs-image-test"
ADDRESS = "http://127.0.0.1:8800"
CONFIG = """serve:
  hosts: [plans.example.org]
  auth:
    issuer: https://login.example.org
    audience: https://plans.example.org/mcp
    jwks: https://login.example.org/jwks.json
"""
# mounts are gone with the namespace
CHROOT = """
root=$1 config=$2 user=$3 home=$4; shift 4
mount --bind "$root" "$root"
mkdir -p "$root/config"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$config" "$root/config"
mount --bind "$home" "$root/state"
mount -o remount,bind,ro "$root" "$root"
exec chroot --userspec="$user:$user" --groups= "$root" "$@"
"""


def run(*words: object, **options: Any) -> str:
    """Run a command and return what it prints. Raises CalledProcessError."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, timeout=1800, **options)
    done.check_returncode()
    return done.stdout


class Docker:
    """Docker or Podman, with the base image of its registry. config: the folder that is mounted at /config."""

    def __init__(self, program: str, config: Path) -> None:
        self.program, self.config = program, config
        self.options = ["--format", "docker"] if program == "podman" else []

    def build(self) -> None:
        run(self.program, "build", *self.options, "-f", CONTAINERFILE, "-t", IMAGE, ROOT)

    def command(self, words: list[str]) -> list[str]:
        """The command line that runs words in a new container."""
        limits = ["--read-only", "-v", f"{self.config}:/config:ro"]
        return [self.program, "run", "--rm", *limits, "--entrypoint", words[0], IMAGE, *words[1:]]

    def server(self) -> list[str]:
        """The command line of the image's own command."""
        published = ["--name", IMAGE, "-p", f"{ADDRESS.removeprefix('http://')}:8800"]
        return [self.program, "run", "--rm", "--read-only", *published, "-v", f"{self.config}:/config:ro", IMAGE]

    def beside(self, words: list[str]) -> list[str]:
        """The command line that runs words beside the server."""
        return [self.program, "exec", IMAGE, *words]

    def close(self) -> None:
        run(self.program, "rmi", "-f", IMAGE)


class Buildah:
    """buildah with images of its own in a folder, over a base image that it makes itself."""

    def __init__(self, config: Path, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.state = folder / "state"
        self.buildah = [
            "buildah", "--storage-driver", "vfs", "--root", folder / "images", "--runroot", folder / "containers",
        ]  # fmt: skip

    def build(self) -> None:
        self._base()
        isolated = ["--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker"]
        run(*self.buildah, "bud", *isolated, "-f", CONTAINERFILE, "-t", IMAGE, ROOT)
        container = run(*self.buildah, "from", "--pull-never", IMAGE).strip()
        self.root = run(*self.buildah, "mount", container).strip()
        self.settings = json.loads(run(*self.buildah, "inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
        self.state.mkdir()
        shutil.copystat(f"{self.root}/state", self.state)
        owner = Path(self.root, "state").stat()
        shutil.chown(self.state, owner.st_uid, owner.st_gid)

    def _base(self) -> None:
        """Make the base image, if this is the first time."""
        system = self.folder / "debian"
        packages = "ca-certificates,python3,python3-venv,python-is-python3"
        log = self.folder / "debootstrap.log"
        with log.open("w") as file:
            run("debootstrap", "--variant=minbase", f"--include={packages}", DEBIAN, system, stderr=file)
        certificates = Path("/etc/ssl/certs/ca-certificates.crt")  # also those that this machine adds
        shutil.copy(certificates, system / certificates.relative_to("/"))
        (system / "etc" / "pip.conf").write_text(f"[global]\ncert = {certificates}\n")
        container = run(*self.buildah, "from", "scratch").strip()
        run(*self.buildah, "add", "-q", container, system, "/")
        run(*self.buildah, "commit", "-q", container, BASE)
        run(*self.buildah, "rm", container)
        shutil.rmtree(system)

    def command(self, words: list[str]) -> list[str]:
        user, folder = self.settings["User"], self.settings["WorkingDir"]
        inside = ["env", "-i", f"--chdir={folder}", *self.settings["Env"], *words]
        outside = ["unshare", "--mount", "sh", "-euc", CHROOT, "sh", self.root, str(self.config), user, str(self.state)]
        return [*outside, *inside]

    def server(self) -> list[str]:
        return self.command([*self.settings["Entrypoint"], *self.settings["Cmd"]])

    beside = command

    def close(self) -> None:
        run(*self.buildah, "rm", "--all")


def engine(config: Path, folder: Path) -> Docker | Buildah:
    """What builds images here."""
    for program in ("docker", "podman"):
        if shutil.which(program) and subprocess.run([program, "info"], capture_output=True).returncode == 0:
            return Docker(program, config)
    assert shutil.which("buildah"), "there is neither Docker nor Podman nor buildah"
    return Buildah(config, folder)


def check(image: Docker | Buildah) -> None:
    """Use the image. Raises AssertionError, CalledProcessError."""

    def said(*words: str) -> str:
        text = run(*image.command(list(words)))
        print(f"$ {' '.join(words)}\n{text}", end="", flush=True)
        return text

    assert said("rtfs", "--version").startswith("rtfs ")
    assert said("id", "-u") == "10001\n"
    written = subprocess.run(image.command(["touch", "/opt/x"]), capture_output=True)
    assert written.returncode != 0, "the root can be written"
    assert "a worker process (--isolate) has limits, no_new_privs, landlock, seccomp" in said("rtfs", "doctor")
    assert said("rtfs", "run", "--isolate", "-e", "(map inc [1 2 3])") == "[2 3 4]\n"
    assert said("sh", "-c", "cd /config && python program.py").endswith("{:urgent 1 :others 1}\n")
    assert said("find", "/state", "-name", "units") == "", "compiled files are in memory only"
    serve(image)


def serve(image: Docker | Buildah) -> None:
    """Start the server, ask it, and stop it."""
    health = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", CONTAINERFILE.read_text(), re.MULTILINE)
    assert health is not None
    with subprocess.Popen(image.server()) as server:
        try:
            end = time.monotonic() + 60
            while (answer := fetched("/healthz")) is None:
                assert server.poll() is None, "the server has ended"
                assert time.monotonic() < end, "the server does not start"
                time.sleep(0.2)
            assert answer == (200, "ok\n")
            run(*image.beside(json.loads(health[1])))
            refused = fetched("/mcp", Host="plans.example.org")
            assert refused is not None
            assert refused[0] == 401, refused
        finally:
            server.send_signal(signal.SIGTERM)
    print(f"/healthz {answer}, /mcp without a token {refused[0]}, on SIGTERM {server.returncode}")
    assert server.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def fetched(path: str, **headers: str) -> tuple[int, str] | None:
    """Status and text of an answer; None where there is none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(ADDRESS + path, headers=headers), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="rtfs-image-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        config = folder / "config"
        config.mkdir()
        readme = (ROOT / "README.md").read_text()
        (config / "rtfs.yaml").write_text(CONFIG)
        (config / "plan.rtfs").write_text(block(readme, "clojure file=plan.rtfs"))
        (config / "program.py").write_text(block(readme, "python"))
        image = engine(config, folder)
        image.build()
        try:
            check(image)
        finally:
            image.close()
    print("the image works")
    return 0


def block(page: str, kind: str) -> str:
    """The first example of a kind on a page."""
    found = re.search(rf"^```{re.escape(kind)}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None, kind
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
