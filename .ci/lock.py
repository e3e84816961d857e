"""The lock files: every package of an installation, pinned and with hashes.

`python .ci/lock.py` checks offline that the lock fits requirements.txt and
requirements-dev.txt; `write` makes it again with uv; `resolve` checks with the package
index that other Pythons and platforms could install it.

torch has several builds of one version. On Linux the usual one needs Nvidia's
libraries, which have a lock of their own; the CPU build does not. torch is alone in
its lock because pip prefers a file on the index to a local one: so an installation
first tries it without the index.
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
# The only package without a wheel; it is pure Python, and is built on installation.
BUILT = "autograd-gamma"

Entries = dict[str, str]


def entries(text: str) -> Entries:
    r"""Return the lines of each pinned package, by normalized name.

    >>> entries("# head\nA_b==1 \\\n    --hash=sha256:0\n    # via c\n")
    {'a-b': 'A_b==1 \\\n    --hash=sha256:0\n    # via c\n'}
    """
    found: Entries = {}
    for block in re.findall(r"^\w.*\n(?:[ ].*\n)*", text, re.MULTILINE):
        if match := ENTRY.match(block):  # a package may have a pin for each system
            found[normal(match[1])] = found.get(normal(match[1]), "") + block
    return found


def normal(name: str) -> str:
    """Return a package's name as the index normalizes it.

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
    r"""Return the differences between a lock and the file it was made from.

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
    """Return the text of one lock file; empty if there is none yet."""
    path = LOCKS / f"{part}.lock"
    return path.read_text() if path.exists() else ""


def check() -> list[str]:
    """Return all differences between the locks and the requirements, offline."""
    needed = lock_text("requirements") + lock_text("torch") + lock_text("cuda")
    locked = {RUN: needed, DEV: lock_text("requirements-dev")}
    return [
        f"{each}; run `make lock`"
        for source, lock in locked.items()
        for each in differences(source, (ROOT / source).read_text(), lock)
    ]


def uv(*words: str) -> str:
    """Run uv in the project's folder, so that locks contain relative paths only.

    Its settings in pyproject.toml are for a host without a GPU and do not count here.
    """
    beside = Path(sys.executable).parent
    program = shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        sys.exit("lock: uv is not installed; `make lock` installs it")
    command = [program, *words]
    # The oldest macOS that torch has a build for.
    env = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    with tempfile.TemporaryDirectory() as elsewhere:  # where uv looks for settings
        command += ["--project", elsewhere]
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"lock: uv {words[0]} {words[1]} failed\n{done.stderr.strip()}")
    return done.stdout


def compiled(source: str, known: dict[str, str], options: list[str]) -> Entries:
    """Return every package that a file needs, at the known versions if possible."""
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
            sys.stderr.write(f"lock: skipped, other version: {build['what']}\n")
            continue
        first, rest = block.split("\n", 1)
        line = f"    --hash=sha256:{build['sha256']} \\"
        locked = locked | {name: f"{first}\n{line}\n{rest}"}
    return locked


def write(options: list[str]) -> None:
    """Write the locks again; keep versions unless the options say otherwise."""
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
    """Check that the index has every locked file for other Pythons and platforms."""
    locks = [word for part in PARTS for word in ("-r", f".ci/locks/{part}.lock")]
    files = ("--only-binary", ":all:", "--no-binary", BUILT, "--require-hashes")
    for machine in MACHINES:
        for python in PYTHONS:
            place = ("--python-version", python, "--python-platform", machine)
            with tempfile.TemporaryDirectory() as folder:
                where = ("--dry-run", "--no-deps", "--target", folder)
                uv("pip", "install", *where, *files, *place, *locks)
            sys.stderr.write(f"lock: installable on {machine}, Python {python}\n")


def main(words: list[str]) -> int:
    """Check, write or resolve; return the exit code."""
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
