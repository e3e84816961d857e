"""What every test stands on: a store of its own, one thread, and no silent skip."""

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

# Before anything of ours is imported: no test may touch the user's own runs, and
# more than one thread changes the numbers.
_HOME = tempfile.mkdtemp(prefix="metascope-tests-")
os.environ["METASCOPE_HOME"] = _HOME
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import hypothesis  # noqa: E402
import jaxtyping  # noqa: E402
import pytest  # noqa: E402

from tests.array_shapes import ROOMS  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Shapes of arrays are checked in each call, from the first import on.
jaxtyping.install_import_hook(list(ROOMS), "tests.array_shapes.check_arrays")

hypothesis.settings.register_profile("ours", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ours")

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_CALM = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
_SKIPS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Start one browser for all tests that drive one; without it they are skipped."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        pytest.skip("needs chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_CALM))
        yield chromium
        chromium.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help="fail on a skipped browser test, and on a skipped pack test where "
        "METASCOPE_DATA is set",
    )
    parser.addoption(
        "--part",
        help="run only what is of this part: tests with its name among their values, "
        "and those of files called after it",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests of other parts where one part is asked for."""
    name = config.getoption("--part")
    if name is not None:
        items[:] = [item for item in items if is_of(name, item)]


def is_of(name: str, item: pytest.Item) -> bool:
    """Return whether a test is of a part: `maml` is in `[maml-mlp]`, not `[fomaml]`."""
    values = item.name.partition("[")[2].rstrip("]")
    return name in re.split("[-/]", values) or item.path.stem == f"test_{name}"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SKIPS] = []


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Collect the skips that count; only where the reports come together."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = reporter.stats.get("skipped", [])
    session.config.stash[_SKIPS] = [
        f"{report.nodeid}: {_reason(report)}" for report in skipped if _counts(report)
    ]
    strict = session.config.getoption("--strict-skips")
    if strict and session.config.stash[_SKIPS] and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which tests were not run for want of a browser or the data pack."""
    absent = Counter(
        (report.nodeid.partition("::")[0], _reason(report))
        for report in terminalreporter.stats.get("skipped", [])
        if "pack" in report.keywords or "browser" in report.keywords
    )
    for (file, reason), count in sorted(absent.items()):
        tests = "a test" if count == 1 else f"{count} tests"
        terminalreporter.write_line(f"not run: {tests} of {file}: {reason}")
    if config.getoption("--strict-skips") and (found := config.stash[_SKIPS]):
        terminalreporter.write_line(f"{len(found)} skips are failures here", red=True)


def _counts(report: pytest.TestReport | pytest.CollectReport) -> bool:
    if "browser" in report.keywords:
        return True
    return "pack" in report.keywords and bool(os.environ.get("METASCOPE_DATA"))


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    where = report.longrepr
    reason = str(where[2]) if isinstance(where, tuple) else str(where)
    return reason.removeprefix("Skipped: ")
