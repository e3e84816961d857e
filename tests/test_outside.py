"""Nothing that comes from outside is unpickled or executed: an audit hook watches.

The hook cannot be taken off again, so the readers are fed in a process of their own.
"""

import subprocess
import sys
from pathlib import Path

FED = '''
import contextlib, io, os, pickle, sys, zipfile
from pathlib import Path

import numpy as np

from app import share_links
from app.client import recorded_examples
from engine.contract.errors import Refused
from engine.contract.parsing import parse_spec
from engine.data.user.csv_store import read_csv
from engine.export import read_archive
from engine.store import StoreError

mark = Path(sys.argv[1]) / "exploded"


class Bomb:
    def __reduce__(self):
        return os.mkdir, (str(mark),)


bomb = pickle.dumps(Bomb())
npz = io.BytesIO()
np.savez(npz, w=np.array([Bomb()], dtype=object))
good = (recorded_examples.FOLDER / "optimization.zip").read_bytes()
names = zipfile.ZipFile(io.BytesIO(good)).namelist()


def swapped(name, data):
    """Return the recorded archive with one member replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w") as new:
        for each in names:
            new.writestr(each, data if each == name else old.read(each))
    return out.getvalue()


seen = []
WATCHED = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.mkdir")
sys.addaudithook(lambda event, args: event in WATCHED and seen.append(event))
if "positive" in sys.argv:
    pickle.loads(bomb)
for read in (parse_spec, read_csv, share_links.unpack, read_archive):
    for data in (bomb, npz.getvalue(), b"__import__('os').mkdir('x')", good[:5000]):
        with contextlib.suppress(Refused, StoreError):
            text = read is share_links.unpack
            read(data.decode("latin1") if text else data)
for name in names:
    for data in (bomb, npz.getvalue()):
        with contextlib.suppress(Refused, StoreError):
            read_archive(swapped(name, data))
read_archive(good)
print(sorted(set(seen)), mark.exists())
'''


def fed(folder: Path, *words: str) -> str:
    """Feed the readers in a fresh process; return what the hook saw."""
    run = subprocess.run(
        [sys.executable, "-c", FED, str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    return run.stdout.strip()


def test_no_reader_unpickles_or_executes_what_it_is_given(tmp_path: Path) -> None:
    assert fed(tmp_path) == "[] False"


def test_the_hook_sees_an_unpickling(tmp_path: Path) -> None:
    assert "pickle.find_class" in fed(tmp_path, "positive")
