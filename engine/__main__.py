"""The command line: `python -m engine --help`.

Exit codes: 0 done, 1 failed, 2 bad input, 3 diverged (results are still saved), 130
interrupted. Errors are one line on stderr, never a traceback.
"""

import inspect
import os
import sys
from collections.abc import Sequence

import typer

from engine.cli import (
    catalogue,
    check,
    check_specs,
    data,
    demo,
    doctor,
    gallery,
    knowledge,
    new,
    run,
    runs,
    study,
    supervise_and_work,
    sweep,
)
from engine.cli.console import (
    Exit,
    print_error,
    print_status,
    replace_unknown_characters,
)
from engine.contract.errors import Refused
from engine.contract.jobs import IllegalTransition
from engine.store import NoRun, NoStore, StoreError


def _unwrap(text: str | None) -> str:
    """Return text with each paragraph on one line, as help keeps single breaks."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


app = typer.Typer(
    help=_unwrap(__doc__),
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(catalogue.catalogue)
app.command()(catalogue.presets)
app.command("published")(catalogue.list_published)
app.command()(run.run)
app.command(help=_unwrap(sweep.sweep.__doc__))(sweep.sweep)
app.command()(study.study)
app.add_typer(runs.runs, name="runs")
app.command(help=_unwrap(gallery.gallery.__doc__))(gallery.gallery)
app.command()(supervise_and_work.supervise)
app.command()(supervise_and_work.work)
app.add_typer(data.data, name="data")
app.add_typer(demo.demo, name="demo")
app.add_typer(knowledge.knowledge, name="knowledge")
app.command()(new.new)
app.command()(check.check)
app.command("check-specs")(check_specs.check_specs)
app.command()(doctor.doctor)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: The command-line arguments; those of this process if None.

    Returns:
        The exit code.
    """
    replace_unknown_characters()
    try:
        return int(app(args=words, standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        print_status("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe, as `| head` does
        # Python flushes stdout once more at exit; let that write succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except NoStore as error:  # no run was ever made here: nothing to list is no error
        print_status(str(error))
        return Exit.OK
    except Exception as error:
        return _report_error(error)


def _report_error(error: Exception) -> int:
    """Print an error in one line and return the exit code.

    An unexpected one is raised again if METASCOPE_TRACEBACK is set.
    """
    match error:
        case typer.TyperException():
            message, code = error.format_message(), Exit.BAD_INPUT
        case Refused() | NoRun() | IllegalTransition():
            message, code = str(error), Exit.BAD_INPUT
        case StoreError():
            message, code = str(error), Exit.FAILED
        case _:
            if os.environ.get("METASCOPE_TRACEBACK"):
                raise error
            cause = f"{type(error).__name__}: {error}"
            message = f"{cause} (METASCOPE_TRACEBACK=1 shows where)"
            code = Exit.FAILED
    if message:
        print_error(message)
    return code


if __name__ == "__main__":
    sys.exit(main())
