"""A knowledge base from a file: read, kept, and put where a search starts from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app import session
from app.charts import knowledge
from app.charts.knowledge import Sizes
from app.client import client
from app.client.client import Run
from app.experiment import spec_mapping, templates
from app.figures.theme import capitalized, learner_name
from app.widgets import panels
from app.widgets.escaping import plain
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.user.knowledge_records import Knowledge

MEGABYTES = 20
KNOB = "base"


class Imported(NamedTuple):
    """A base that was read and kept, and the digest that names it."""

    digest: str
    told: "Knowledge"


def offer(run: Run | None) -> None:
    """Take a knowledge base from a file, for a strategy to start from.

    Args:
        run: What is in view; its family is known to search its space.
    """
    with st.expander("Import a knowledge base", icon=":material/upload_file:"):
        given = st.file_uploader(
            *("A JSON file that was exported here", "json"),
            key="knowledge_file", max_upload_size=MEGABYTES,
        )  # fmt: skip
        if given is None:
            return
        try:
            base = _kept(given.getvalue())
        except Refused as refusal:
            panels.refused(refusal.message)
            return
        count = sum(len(entries.best) for entries in base.told.entries)
        st.success(
            plain(
                f"Kept: {count:,} experiences of {capitalized(base.told.space.name)}, "
                f"{len(base.told.tasks)} tasks."
            ),
            icon=":material/check:",
        )
        if client.catalogue_ready():
            _next(base, run)


def _kept(data: bytes) -> Imported:
    from engine.data.user.knowledge_file import read_knowledge, store_knowledge

    told = read_knowledge(data)
    client.present_store()  # it is kept beside the runs: not where the store was
    return Imported(store_knowledge(data), told)


def _next(base: Imported, run: Run | None) -> None:
    """Offer the one next step: to start from it."""
    family = _family(base, run)
    if family is None:
        st.warning(
            plain(
                f"No task family here searches {base.told.space.name}; a run on "
                "another space refuses it. For a space of your own, put this into a "
                "strategy's Imported base:"
            )
        )
        st.code(base.digest, language=None)
        return
    form = session.form()
    labels = starters(form)
    names = plain(" and ".join(learner_name(label) for label in labels))
    wanted = fields(form, labels, base, family)
    if labels and all(form.get(key) == value for key, value in wanted.items()):
        st.markdown(f":material/check: Set for **{names}**: press **Run**.")
    elif labels:
        st.button(
            f"Start {names} from it",
            icon=":material/input:", type="primary", key="knowledge_use",
            on_click=st.session_state.update, args=(wanted,),
            help="Fills the form; nothing runs yet.",
        )  # fmt: skip


def _family(base: Imported, run: Run | None) -> str | None:
    """Return a family that searches the base's space; none where none is known."""
    film = run.film("film") if run is not None and not run.alive else None
    if run is not None and film is not None and _same(base.told, film.info):
        return run.spec.family.name
    named = {_bare(card.name): card for card in client.catalogue().of("family")}
    card = named.get(_bare(base.told.space.name))
    return card.name if card is not None and not card.missing else None


def _same(told: "Knowledge", info: Mapping[str, Any]) -> bool:
    space = info.get("evaluator") or info
    return told.space.positions == tuple(space["positions"]) and (
        told.space.options == tuple(tuple(names) for names in space["options"])
    )


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def starters(form: Mapping[str, Any]) -> list[str]:
    """Return the strategies that can start from a base: those that are on, else one.

    Args:
        form: What the experiment's form holds.
    """
    chosen = [str(label) for label in form.get("k.chosen") or ()]
    usual = [e.label for e in templates.default(client.catalogue(), "search").learners]
    able = [label for label in chosen if _able(spec_mapping.part_of(form, label))]
    return able or [label for label in usual if _able(label)][:1]


def _able(name: str) -> bool:
    card = client.catalogue().cards.get(("learner", name))
    return (
        card is not None
        and bool(card.traits.get("knowledge"))
        and any(knob.name == KNOB for knob in card.knobs)
    )


def fields(
    form: Mapping[str, Any], labels: list[str], base: Imported, family: str
) -> dict[str, Any]:
    """Return what a form must hold for strategies to start from a base."""
    chosen = list(form.get("k.chosen") or ())
    chosen += [label for label in labels if label not in chosen]
    wanted: dict[str, Any] = {"k.family": family, "k.chosen": chosen}
    for label in labels:
        place = f"k.learner.{label}"
        card = client.catalogue().card("learner", spec_mapping.part_of(form, label))
        held = {k.name: form.get(f"{place}.{k.name}", k.default) for k in card.knobs}
        now = Sizes(int(held["best"]), int(held["capacity"]))
        sizes = knowledge.room(base.told, now)
        wanted |= {
            f"{place}.{KNOB}": base.digest,
            f"{place}.best": sizes.best,
            f"{place}.capacity": sizes.capacity,
        }
    return wanted
