"""Text typed by the user stays text in every table and in its CSV file."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets import tables
from app.widgets.escaping import escape_markdown
from engine.store import Store
from tests.app.conftest import ROOT

FORMULAS = ['=HYPERLINK("http://e")', "+1", "-1+cmd", "@SUM(1)", "\t=1", "\r=1", " =1"]
RAW = re.compile(r"\bst\.(dataframe|table|data_editor)\(|\.to_csv\(")


def test_one_file_alone_draws_tables_and_writes_csv() -> None:
    sources = [
        path for room in ("app", "pages") for path in (ROOT / room).rglob("*.py")
    ]
    raw = [path for path in sources if RAW.search(path.read_text())]
    assert raw == [ROOT / "app" / "widgets" / "tables.py"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_and_no_header_of_a_csv_is_a_formula(formula: str) -> None:
    text = tables.csv_bytes(pd.DataFrame({formula: [formula], "n": [-0.5]})).decode()
    header, cells = csv.reader(io.StringIO(text, newline=""))
    shown = f"'{formula}".replace("\r", "\n")
    assert (header, cells) == ([shown, "n"], [shown, "-0.5"])


@pytest.mark.parametrize("text", ["sgd", "-0.5", "-1e-3", "−0.1 [−0.2, 0]", "", "a=b"])
def test_text_that_is_no_formula_is_unchanged(text: str) -> None:
    assert tables.escape_formulas(pd.DataFrame({"a": [text]})).loc[0, "a"] == text


def test_two_columns_of_one_name_keep_their_cells() -> None:
    made = tables.escape_formulas(
        pd.DataFrame([["=1", "b"], ["c", "=2"]], columns=["x", "x"])
    )
    assert made.to_numpy().tolist() == [["'=1", "b"], ["c", "'=2"]]


def test_a_title_that_is_a_formula_is_text_in_the_list_of_runs(
    lab: AppTest, home: Path, key: str
) -> None:
    Store.open(home).rename(key, '=HYPERLINK("http://e")')
    at = lab.switch_page("../pages/runs.py").run()
    cell = str(at.dataframe[0].value["Name"].iloc[0])
    assert "=HYPERLINK" in cell and cell[0] not in "=+-@\t\r"


@pytest.mark.parametrize(
    "text",
    ["see http://e.example", "HTTPS://e.example", "www.e.example", "me@e.example"],
)
def test_an_address_is_broken_for_who_makes_links_of_them(text: str) -> None:
    shown = escape_markdown(text).replace("\\", "")
    assert re.search(r"(?i)https?://|www\.|\w@\w", shown) is None
    assert shown.replace("\N{WORD JOINER}", "") == text


def test_a_carriage_return_within_a_cell_begins_no_row() -> None:
    text = tables.csv_bytes(pd.DataFrame({"a": ["x\r=1"]})).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a"], ["x\n=1"]]
