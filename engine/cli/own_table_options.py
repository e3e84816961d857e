"""The options of `data own`, which have the names of the choices on the page."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="A table: CSV with any separator, or ARFF.")]
Target = Annotated[str, typer.Option(help="The column to predict.")]
Value = Annotated[bool, typer.Option("--value", help="Regression: predict a number.")]
Drop = Annotated[
    bool,
    typer.Option(
        "--drop", help="Drop non-numeric columns, incomplete rows, rare classes."
    ),
]
Mean = Annotated[
    bool,
    typer.Option(
        "--mean",
        help="Fill missing values with the mean of a task's training rows.",
    ),
]
OneHot = Annotated[
    list[str] | None,
    typer.Option(help="Columns that become an input per value, or 'all'."),
]
Ordinal = Annotated[
    list[str] | None,
    typer.Option(help="Columns whose values become 0, 1, …, or size=small<large."),
]
Date = Annotated[
    list[str] | None, typer.Option(help="Columns of dates that become days.")
]
Ignore = Annotated[list[str] | None, typer.Option(help="Columns that are left out.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(help="Columns that are used although they would be left out."),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(help="A further mark of a missing value: -999, or age=0."),
]
JoinLabels = Annotated[
    bool, typer.Option("--join-labels", help="Make classes that look alike one class.")
]
Split = Annotated[str, typer.Option(help="The column with train, validation and test.")]
Shift = Annotated[
    str, typer.Option(help="A column whose groups are shifted, such as a year.")
]
TrainOn = Annotated[
    str, typer.Option(help="The group of the shift column that is trained on.")
]
ShiftPeriod = Annotated[
    str,
    typer.Option(
        help="Group a shift column of dates by year, month or day; default: judged."
    ),
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="The first line has names or data."),
]
AllRows = Annotated[bool, typer.Option("--all-rows", help="Keep a last row of totals.")]
FewShot = Annotated[
    bool, typer.Option("--few-shot", help="Use it for few-shot classification.")
]
Encoding = Annotated[
    str,
    typer.Option(help="The file's encoding, such as Shift-JIS; default: judged."),
]
