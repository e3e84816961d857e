"""The lock: every package that an installation takes, pinned and held to hashes.

`python .ci/lock.py` says, without a network, where the lock no longer fits
requirements.txt and requirements-dev.txt; `write` makes it anew with uv; `resolve`
asks the package index whether other Pythons and machines could install it.

torch has several builds of one version. On Linux the usual one needs Nvidia's
libraries, which have a lock of their own; the one for CPUs does not. torch stands
alone in its lock, because pip prefers a file whose hash the index names to one that
lies beside it: so it is asked for the latter first.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN, DEV = "requirements.txt", "requirements-dev.txt"
LOCKS = ROOT / ".ci" / "locks"
PARTS = ("requirements", "requirements-dev", "torch", "cuda")
HEAD = "# Made by `make lock` from requirements*.txt; not to be edited.\n"
CUDA = re.compile(r"(nvidia|cuda)-|triton$")
ENTRY = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==(\S+)")
COMPILE = ("--universal", "--python-version", "3.11", "--generate-hashes")
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
# A package without a wheel; it is pure Python, and is built where it is installed.
BUILT = "autograd-gamma"

Entries = dict[str, str]


def entries(text: str) -> Entries:
    r"""Return each pinned package's lines, by its normal name.

    >>> entries("# head\nA_b==1 \\\n    --hash=sha256:0\n    # via c\n")
    {'a-b': 'A_b==1 \\\n    --hash=sha256:0\n    # via c\n'}
    """
    found: Entries = {}
    for block in re.findall(r"^\w.*\n(?:[ ].*\n)*", text, re.MULTILINE):
        if match := ENTRY.match(block):  # a package may have a pin for each system
            found[normal(match[1])] = found.get(normal(match[1]), "") + block
    return found


def normal(name: str) -> str:
    """Return a package's name as an index spells it.

    >>> normal("Pip_Audit")
    'pip-audit'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(text: str) -> dict[str, str]:
    """Return the version of each pinned package.

    >>> versions("torch==2.13.0  # a remark")
    {'torch': '2.13.0'}
    """
    pins = (ENTRY.match(line) for line in text.splitlines())
    return {normal(pin[1]): pin[2] for pin in pins if pin}


def differences(source: str, wanted: str, lock: str) -> list[str]:
    r"""Say where a lock does not fit the file that it was made from.

    >>> differences("r.txt", "a==2", "a==1 --hash=sha256:0\n    # via -r r.txt\n")
    ['r.txt pins a==2, its lock a==1']
    >>> differences("r.txt", "", "a==1\n    # via -r r.txt\n")
    ['the lock of r.txt has a==1 without a hash', 'r.txt no longer names a']
    >>> differences("r.txt", "# a remark\n-r other.txt\na>=2", "")
    ['r.txt has a>=2, which is no pin: name==version']
    """
    pinned, locked = versions(wanted), versions(lock)
    loose = [line for line in wanted.splitlines() if re.match(r"\w", line)]
    found = [
        f"{source} has {line}, which is no pin: name==version"
        for line in loose
        if not ENTRY.match(line)
    ]
    found += [
        f"{source} pins {name}=={version}, its lock {name}=={locked.get(name, 'none')}"
        for name, version in pinned.items()
        if locked.get(name) != version
    ]
    for name, block in entries(lock).items():
        if "--hash=sha256:" not in block:
            found.append(
                f"the lock of {source} has {name}=={locked[name]} without a hash"
            )
        if re.search(rf"-r {re.escape(source)}$", block, re.M) and name not in pinned:
            found.append(f"{source} no longer names {name}")
    return found


def lock_text(part: str) -> str:
    """Return one part of the lock, or nothing where there is none yet."""
    path = LOCKS / f"{part}.lock"
    return path.read_text() if path.exists() else ""


def check() -> list[str]:
    """Say where the lock no longer fits what is asked for; reads files alone."""
    needed = lock_text("requirements") + lock_text("torch") + lock_text("cuda")
    locked = {RUN: needed, DEV: lock_text("requirements-dev")}
    return [
        f"{each}; run `make lock`"
        for source, lock in locked.items()
        for each in differences(source, (ROOT / source).read_text(), lock)
    ]


def uv(*words: str) -> str:
    """Ask uv, in the project's folder so that it writes no other path."""
    beside = Path(sys.executable).parent
    program = shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        sys.exit("lock: uv is not installed here; `make lock` brings it")
    command = [program, *words]
    # The oldest macOS that torch has a build for.
    env = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"lock: uv {words[0]} {words[1]} failed\n{done.stderr.strip()}")
    return done.stdout


def compiled(source: str, known: dict[str, str], options: list[str]) -> Entries:
    """Return every package that a file asks for, at the known versions if it may."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock"
        # Versions alone: uv would keep a hash that the index no longer has.
        lock.write_text("".join(f"{name}=={pin}\n" for name, pin in known.items()))
        uv("pip", "compile", source, *COMPILE, "--no-header", "-o", str(lock), *options)
        return entries(lock.read_text())


def with_other_builds(locked: Entries) -> Entries:
    """Add the hashes of builds that are not on the package index."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for build in settings["tool"]["metascope"]["build"]:
        name, block = build["package"], locked[build["package"]]
        if not block.startswith(f"{name}=={build['version']} "):
            sys.stderr.write(f"lock: left out, of another version: {build['what']}\n")
            continue
        first, rest = block.split("\n", 1)
        line = f"    --hash=sha256:{build['sha256']} \\"
        locked = locked | {name: f"{first}\n{line}\n{rest}"}
    return locked


def write(options: list[str]) -> None:
    """Make the locks anew; versions stay where nothing asks for others."""
    held = versions("".join(map(lock_text, PARTS)))
    everything = compiled(DEV, held, options)
    needed = compiled(RUN, versions("".join(everything.values())), [])
    parts: dict[str, Entries] = {part: {} for part in PARTS}
    for name, block in with_other_builds(everything).items():
        parts[_part(name, name in needed)][name] = block
    LOCKS.mkdir(exist_ok=True)
    for part, found in parts.items():
        (LOCKS / f"{part}.lock").write_text(HEAD + "".join(found.values()))


def _part(name: str, needed: bool) -> str:
    if name == "torch":
        return name
    if CUDA.match(name):
        return "cuda"
    return "requirements" if needed else "requirements-dev"


def resolve() -> None:
    """Ask whether every file of the lock exists for other Pythons and machines."""
    locks = [word for part in PARTS for word in ("-r", f".ci/locks/{part}.lock")]
    files = ("--only-binary", ":all:", "--no-binary", BUILT, "--require-hashes")
    for machine in MACHINES:
        for python in PYTHONS:
            place = ("--python-version", python, "--python-platform", machine)
            with tempfile.TemporaryDirectory() as folder:
                where = ("--dry-run", "--no-deps", "--target", folder)
                uv("pip", "install", *where, *files, *place, *locks)
            sys.stderr.write(f"lock: could be installed on {machine}, {python}\n")


def main(words: list[str]) -> int:
    """Check, write or resolve; returns the exit code."""
    match words:
        case ["write", *options]:
            write(options)
        case ["resolve"]:
            resolve()
    found = check()
    sys.stderr.write("".join(f"lock: {line}\n" for line in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
