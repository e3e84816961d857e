"""The calls of a finished run, in a few lines and with their numbers."""

import json
from dataclasses import replace

import numpy as np

from app.client.client import Run
from app.results import call_lines
from app.views.run import call_panel
from app.views.run.evidence import comparisons
from engine.stats.learner_claims import primary_claim
from engine.stats.run_summary import summarize
from engine.stats.stored_claims import read_claims
from engine.stats.verdicts.wording import learner_names
from tests.stats.made_up import HERE, TUNED, chosen, spec, trial
from tests.stats.verdicts.test_optimization import TITLES, noisy, shifted, stretch

SPEC = spec(chosen(), chosen("<b>second"), TUNED, kind="optimization")


def finished() -> Run:
    """Return a run of two chosen learners, one of them with a typed name."""
    blocks = shifted((1.5, 0.2), (4.0, 0.05))
    for at in (HERE, stretch(1.5), stretch(4.0)):
        blocks += trial("<b>second", noisy(0.1, 9), at)
    summary = json.loads(json.dumps(summarize(blocks, SPEC, titles=TITLES)))
    return Run("0" * 64, SPEC, tuple(blocks), summary=summary)


def deciding_claims(run: Run) -> list:
    return [c for c in read_claims(run.summary) if c.metric == "area"]


def test_the_table_begins_with_the_primary_question_and_has_every_pair() -> None:
    run = finished()
    names = learner_names(SPEC, TITLES)
    table = comparisons.make_table(run, deciding_claims(run), names)
    rows = table.split("<tr>")[2:]
    assert len(rows) == 3
    assert 'class="primary"' in rows[0] and "tuned SGD" in rows[0]
    assert sum('class="primary"' in row for row in rows) == 1
    assert "&lt;b&gt;second" in table and "<b>second" not in table
    assert "8 replicates × 8 tasks" in rows[0]


def test_diverged_tasks_are_counted_as_numbers_in_the_order_of_the_title() -> None:
    run = finished()
    claims = [replace(c, diverged=(3, 0)) for c in deciding_claims(run)]
    table = comparisons.make_table(run, claims, learner_names(SPEC))
    assert "Diverged (learner : other)" in table and "<td>3 : 0</td>" in table
    none = comparisons.make_table(run, deciding_claims(run), learner_names(SPEC))
    assert "Diverged" not in none


def test_a_shift_is_one_line_of_chips_with_words() -> None:
    run = finished()
    chips = comparisons.make_chips(run, deciding_claims(run), learner_names(SPEC))
    lines = chips.split('<p class="chips">')[1:]
    assert len(lines) == 2  # one for each chosen learner
    assert "1.5 ▲ better" in lines[0] and "4 ▼ worse" in lines[0]
    assert "against tuned SGD" in lines[0]
    assert all("<small>n = 8</small>" in line for line in lines)  # replicates


def test_every_note_is_a_line_of_its_own() -> None:
    shown = comparisons.make_notes(["One.", "a < b."])
    assert shown == ('<ul class="verdict-notes"><li>One.</li><li>a &lt; b.</li></ul>')
    assert comparisons.make_notes([]) == ""


def test_a_summary_of_an_earlier_version_is_shown_in_todays_words() -> None:
    """Calls were "no difference" and "description", and no level was stored."""
    claim = {
        **{"learner": "lr_scale", "against": "sgd_tuned", "metric": "area"},
        **{"condition": {"family": "", "shift": "", "severity": 0.0}},
        **{"difference": -0.1, "low": -0.3, "high": 0.1, "p": 0.2, "primary": True},
        **{"n_replicates": 8, "n_tasks": 8, "probability_of_improvement": None},
    }
    calls = (("better", False), ("no difference", False), ("no difference", True))
    filed = [claim | {"call": call, "equivalent": same} for call, same in calls]
    filed.append(claim | {"call": "description", "equivalent": False, "low": None})
    summary = {"sentence": "On unseen x: fine (1 against 2). More.", "claims": filed}
    claims = read_claims(summary)
    assert [c.call for c in claims] == [
        *("better", "can't tell yet", "equal", "can't tell yet"),
    ]
    assert [c.primary for c in claims] == [True, False, False, False]
    assert all(c.decisive and c.level == 0.95 for c in claims)
    run = replace(finished(), summary=summary)
    assert call_lines.headline_and_notes(run, TITLES) == (
        "LR scale is better than tuned SGD in training loss on unseen Gaussian "
        "mixtures.",
        [call_lines.EARLIER],
    )
    untested = replace(run, summary=summary | {"claims": []})
    assert call_lines.headline_and_notes(untested, TITLES)[0] == (
        "On unseen x: fine (1 against 2)."
    )


def test_a_stored_claim_is_what_was_filed() -> None:
    run = finished()
    again = json.loads(json.dumps(summarize(run.blocks, SPEC)))
    assert read_claims(again) == read_claims(run.summary)
    assert read_claims(None) == []


def test_there_are_at_most_three_lines_without_a_table_of_numbers() -> None:
    run = finished()
    here, elsewhere, sure = call_lines.call_lines(run, TITLES)
    assert "LR scale" in here and "<b>second" in here  # typed: escaped when drawn
    assert elsewhere == (
        "The same pair elsewhere: under stretch better at 1.5, worse at 4."
    )
    assert sure.startswith("How sure: training log loss differs by ")
    claim = primary_claim(read_claims(run.summary))
    assert claim is not None
    assert f"ln (the loss is × {np.exp(claim.difference):.2f}), " in sure
    assert "interval over 8 replicates × 8 tasks; less is better." in sure
    shown = call_panel.make_lines(["a < b."])
    assert shown == '<ul class="call-lines"><li>a &lt; b.</li></ul>'


def test_severities_are_a_range_only_where_none_between_them_differs() -> None:
    every = [0.5, 1.0, 1.5, 2.0]
    assert call_lines._join_severities([0.5, 1.0, 1.5], every) == "0.5 to 1.5"
    assert call_lines._join_severities([0.5, 1.0, 2.0], every) == "0.5, 1 and 2"


def test_lost_tests_are_told_with_the_call() -> None:
    run = finished()
    for filed in run.summary["claims"]:
        filed["diverged"] = [3, 0]
    assert "3 against none diverged." in call_lines.call_lines(run, TITLES)[-1]


def test_without_a_comparison_there_is_no_line() -> None:
    run = replace(finished(), summary={"sentence": "Nothing.", "claims": []})
    assert call_lines.call_lines(run, TITLES) == []
    assert call_panel.make_sign(run) == ""
