"""A container engine in a folder: podman with runc, by root, which neither a daemon nor a registry
of images has to help.

The base image is made of Debian's packages where this machine is the Debian that has the Python
wanted; elsewhere it is pulled.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("podman", "buildah", "runc", "mmdebstrap")
_KEPT = Path(__file__).parents[1] / ".nox" / "containers"
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
LIMITS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096")
"""Without these runc asks for more than a machine may give that is a container itself."""
_LOCKED_UP = ("--read-only", "--read-only-tmpfs=false", "--cap-drop", "all")


def hindrance() -> str | None:
    """Return why no container of Linux can run here; nothing where one can."""
    if sys.platform != "linux":
        return "containers of Linux run on Linux"
    missing = [it for it in PROGRAMS if shutil.which(it) is None]
    if missing:
        return f"not installed here: {', '.join(missing)} (.ci/run installs them)"
    if subprocess.run([*_as_root(), "true"], capture_output=True).returncode:
        return "only root can start them here; run the tests as root"
    return None


def _as_root() -> list[str]:
    """Return the words that make a command root's; only a machine of CI is asked for them."""
    if os.geteuid() == 0:
        return []
    return ["sudo", "--non-interactive"] if os.environ.get("CI") else ["false"]


def _run(*words: str, ok: bool = True, **how: object) -> subprocess.CompletedProcess[str]:
    stdin = {} if "input" in how else {"stdin": subprocess.DEVNULL}
    how = {"text": True, "capture_output": True, **stdin, **how}
    done = subprocess.run([*_as_root(), *words], **how)
    assert done.returncode == 0 or not ok, f"{words}:\n{done.stdout}{done.stderr}"[-6000:]
    return done


@dataclass(frozen=True)
class Container:
    """A container that was started."""

    engine: "Engine"
    name: str

    def run(self, *words: str, ok: bool = True, **how: object) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        stdin = ["--interactive"] if "input" in how else []
        return self.engine.podman("exec", *stdin, self.name, *words, ok=ok, **how)

    def is_well(self) -> bool:
        """Run the health check that the image names, once."""
        return self.engine.podman("healthcheck", "run", self.name, ok=False).returncode == 0

    def log(self) -> str:
        """Return all that it has said."""
        told = self.engine.podman("logs", self.name)
        return told.stdout + told.stderr

    def state(self) -> dict:
        """Return what the engine knows of it."""
        return json.loads(self.engine.podman("inspect", self.name).stdout)[0]["State"]

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        return int(self.engine.podman("wait", self.name).stdout)

    def stop(self) -> int:
        """Ask it to end; return the exit code, which is not 0 where it had to be killed."""
        self.engine.podman("stop", "--time", "30", self.name)
        return self.state()["ExitCode"]

    def changed(self) -> list[str]:
        """Return what it has written, mount points aside."""
        lines = self.engine.podman("diff", self.name).stdout.splitlines()
        return [it for it in lines if it.startswith(("A", "D"))]


@dataclass(frozen=True)
class Engine:
    """Podman, whose images, containers and mounts all lie in one folder."""

    folder: Path
    _count: list[int] = field(default_factory=list)

    def podman(self, *words: str, ok: bool = True, **how: object) -> subprocess.CompletedProcess:
        """Run podman."""
        return _run(*self._command, *words, ok=ok, **how)

    @property
    def _command(self) -> list[str]:
        places = [f"--{name}={self.folder / name}" for name in ("root", "runroot", "tmpdir")]
        # On top of another container's files the kernel lays no second overlay.
        kind = _run("stat", "-f", "-c", "%T", str(self.folder)).stdout.strip()
        driver = "vfs" if kind == "overlayfs" else "overlay"
        how = [f"--storage-driver={driver}", "--runtime=runc", "--cgroup-manager=cgroupfs"]
        return ["podman", *places, *how, "--events-backend=file"]

    def base(self, name: str) -> None:
        """Have a base image under its name, docker.io's: made of packages, or else pulled."""
        release = Path("/etc/os-release").read_text("utf-8")
        if "bookworm" not in release or not name.startswith("python:3.11") or not _SOURCES.exists():
            self.podman("pull", "--quiet", f"docker.io/library/{name}")
            return
        path = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
        self.podman("import", "--change", path, str(_debian()), f"docker.io/library/{name}")

    def build(self, context: Path, tag: str, *words: str) -> None:
        """Build an image."""
        secret = f"id=ca,src={_AUTHORITIES}"
        how = ["--format", "docker", "--pull=never", "--network", "host", "--layers=false"]
        how += ["--secret", secret] if _AUTHORITIES.exists() else []
        self.podman("build", *LIMITS, *how, *words, "--tag", tag, str(context))

    def image(self, tag: str) -> dict:
        """Return what the engine knows of an image."""
        return json.loads(self.podman("image", "inspect", tag).stdout)[0]

    @contextmanager
    def running(self, tag: str, options: Sequence[str], *words: str) -> Iterator[Container]:
        """Start a container that may do as little as can be, and remove it after."""
        self._count.append(1)
        name = f"container-{len(self._count)}"
        how = [*LIMITS, *_LOCKED_UP, "--security-opt", "no-new-privileges"]
        if "memory" in self.podman("info", "--format", "{{.Host.CgroupControllers}}").stdout:
            how += ["--memory", "512m"]
        self.podman("run", "--detach", "--name", name, *how, *options, tag, *words)
        try:
            yield Container(self, name)
        finally:
            self.podman("rm", "--force", "--time", "0", name)

    def close(self) -> None:
        """Leave nothing: no container, no mount, no file."""
        self.podman("rm", "--force", "--all", "--time", "0", ok=False)
        for line in reversed(Path("/proc/self/mounts").read_text("utf-8").splitlines()):
            if line.split(" ")[1].startswith(f"{self.folder}/"):
                _run("umount", line.split(" ")[1])
        _run("rm", "-rf", str(self.folder))


def _debian() -> Path:
    """Return the files of a Debian with its Python, kept from one run of the tests to the next."""
    made = _KEPT / "bookworm.tar"
    if not made.exists():
        _KEPT.mkdir(parents=True, exist_ok=True)
        scratch = made.with_suffix(f".{os.getpid()}.tar")
        needless = [f"--dpkgopt=path-exclude=/usr/share/{it}/*" for it in ("doc", "man", "locale")]
        _run(
            *("mmdebstrap", "--mode=root", "--variant=minbase", *needless),
            "--include=ca-certificates,python3-venv",
            '--customize-hook=chroot "$1" python3 -m venv /usr/local',
            *("bookworm", str(scratch), str(_SOURCES)),
        )
        scratch.replace(made)
    return made
