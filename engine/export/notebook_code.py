"""The cells of the notebook that repeats a run: its words and its Python."""

ABOUT_PLACE = """Start Jupyter in the folder of Metascope, which holds `engine/`, in the
environment of its `requirements.txt` (`pip install notebook` adds Jupyter). Started
elsewhere, set `METASCOPE` below."""

SETTINGS = """import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

METASCOPE = Path.cwd()  # the folder of Metascope, which holds engine/
RESULT = Path.cwd() / "metascope_{key}"  # where the results go

assert (METASCOPE / "engine").is_dir(), f"{{METASCOPE}} does not hold engine/"
"""

ABOUT_SPEC = """## The experiment

Everything that determines the numbers. Change it, and you have another experiment: give
it another `RESULT`."""

ABOUT_RUN = """## Compute it

The same as `python -m engine run` on the command line. A folder that already holds this
run is kept as it is."""

RUN = """config = RESULT.with_suffix(".json")
config.write_text(json.dumps(SPEC))
command = [sys.executable, "-m", "engine", "run", str(config), "--out", str(RESULT)]
done = subprocess.run(command, cwd=METASCOPE, capture_output=True, text=True)
print(done.stdout, done.stderr)
"""

ABOUT_ROWS = """## Read its numbers

One number per row. `statistic` says what it is: `value` was measured on one task,
`task_mean` is the mean over the tasks of a replicate, and `mean`, `low` and `high` are
the mean over replicates with its 95 % interval. Here are the tests in distribution:
neither another family nor a shift."""

READ = """metrics = pd.read_csv(RESULT / "metrics.csv")
clean = metrics[
    (metrics["phase"] == "test")
    & (metrics["test_family"] == "none")
    & (metrics["shift"] == "none")
]
print(f"{len(metrics):,} rows, {len(clean):,} of them of tests in distribution")
"""

MEANS = """means = clean[clean["statistic"] == "mean"]
means = means[means["metric"] == "{metric}"]
print(means[["learner", "value"]].to_string(index=False))
"""

ABOUT_CURVE = """## The main curve

Line: mean over replicates. Band: its 95 % interval."""

CURVE = """import plotly.graph_objects as go
from plotly.colors import qualitative

METRIC, ALONG = "{metric}", "{along}"
rows = clean[(clean["metric"] == METRIC) & clean[ALONG].notna()]
figure = go.Figure()
for place, (learner, mine) in enumerate(rows.groupby("learner", sort=False)):
    ends = mine[mine["statistic"].isin(["mean", "low", "high"])]
    curve = ends.pivot(index=ALONG, columns="statistic", values="value")
    color = qualitative.D3[place % 10]
    figure.add_scatter(
        x=[*curve.index, *curve.index[::-1]],
        y=[*curve["high"], *curve["low"][::-1]],
        fill="toself",
        line={{"width": 0}},
        fillcolor=color,
        opacity=0.2,
        hoverinfo="skip",
        legendgroup=learner,
        showlegend=False,
    )
    figure.add_scatter(
        x=curve.index,
        y=curve["mean"],
        name=learner,
        legendgroup=learner,
        line={{"color": color}},
    )
figure.update_xaxes(title=ALONG.capitalize())
figure.update_yaxes(title="{title}", type="{scale}")
figure
"""

ABOUT_CLAIMS = """## The numbers of the headline

`STORED` holds what the run said the first time. The differences are computed again from
the rows above, with pandas alone; intervals and calls come from `summary.json` of the
new run. Of every compared metric, less is better."""

COMPARE = """summary = json.loads((RESULT / "summary.json").read_text())


def mean_of(learner, metric):
    mine = (clean["learner"] == learner) & (clean["metric"] == metric)
    return clean[mine & (clean["statistic"] == "mean")]["value"].mean()


def claim_now(then):
    return next(
        claim
        for claim in summary["claims"]
        if all(claim[name] == then[name] for name in ("learner", "against", "metric"))
        if not any(claim["condition"].values())
    )


compared = []
for then in STORED["claims"]:
    now = claim_now(then)
    here = mean_of(then["learner"], then["metric"])
    there = mean_of(then["against"], then["metric"])
    compared.append(
        {
            "comparison": f"{then['learner']} against {then['against']}",
            "difference then": then["difference"],
            "from the rows": here - there,
            "low then": then["low"],
            "low now": now["low"],
            "high then": then["high"],
            "high now": now["high"],
            "call then": then["call"],
            "call now": now["call"],
        }
    )
compared = pd.DataFrame(compared)
compared
"""

CONCLUDE = """apart = compared["difference then"] - compared["from the rows"]
apart = apart.abs().max()
same_calls = (compared["call then"] == compared["call now"]).all()
print("Then:", STORED["headline"])
print("Now: ", summary["headline"])
if apart < 1e-9 and same_calls:
    print("The numbers are the same.")
else:
    calls = "the same calls" if same_calls else "OTHER CALLS"
    print(f"The differences are up to {apart:.3g} apart, with {calls}: other versions")
    print("or another processor give close, but not identical, numbers.")
"""
