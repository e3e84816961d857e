"""Import of a knowledge base from a file, and the form that starts a search from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app import session
from app.client import client, demo_access, run_knowledge
from app.client.client import Run
from app.client.run_knowledge import KnowledgeSizes
from app.experiment import derived_experiments, spec_mapping
from app.figures.theme import capitalize_name, learner_name
from app.form import uploads
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.user.knowledge_records import Knowledge

MEGABYTES = 20
KNOB = "base"


class ImportedKnowledge(NamedTuple):
    """A stored knowledge base and the digest that names it."""

    digest: str
    knowledge: "Knowledge"


def draw_import(run: Run | None) -> None:
    """Take a knowledge base from a file, for a strategy to start from.

    Args:
        run: The run in view; its family is known to search its space.
    """
    with st.expander("Import a knowledge base", icon=":material/upload_file:"):
        if not (most := uploads.upload_megabytes(MEGABYTES)):
            uploads.draw_uploads_off("a knowledge base")
            return
        given = st.file_uploader(
            "A JSON file that was exported here",
            "json",
            key="knowledge_file",
            max_upload_size=most,
        )
        if given is None:
            return
        try:
            base = _read_and_store(given.getvalue())
        except Refused as refusal:
            page_elements.draw_refusal(refusal.message)
            return
        count = sum(len(entries.best) for entries in base.knowledge.entries)
        st.success(
            escape_markdown(
                f"Stored: {count:,} experiences of "
                f"{capitalize_name(base.knowledge.space.name)}, "
                f"{len(base.knowledge.tasks)} tasks."
            ),
            icon=":material/check:",
        )
        if client.is_catalogue_ready():
            _offer_start(base, run)


def _read_and_store(data: bytes) -> ImportedKnowledge:
    from engine.data.user.knowledge_file import read_knowledge, store_knowledge

    knowledge = read_knowledge(data)
    client.checked_store()  # stored beside the runs, so not while the store is missing
    return ImportedKnowledge(demo_access.note_file(store_knowledge(data)), knowledge)


def _offer_start(imported: ImportedKnowledge, run: Run | None) -> None:
    """Offer to start strategies from the imported base."""
    family = _matching_family(imported, run)
    if family is None:
        st.warning(
            escape_markdown(
                f"No task family here searches {imported.knowledge.space.name}, and a "
                "run on another space refuses it. For a space of your own, put this "
                "into a strategy's Imported base:"
            )
        )
        st.code(imported.digest, language=None)
        return
    form = session.form_values()
    labels = starting_labels(form)
    names = escape_markdown(" and ".join(learner_name(label) for label in labels))
    wanted = form_changes(form, labels, imported, family)
    if labels and all(form.get(key) == value for key, value in wanted.items()):
        st.markdown(f":material/check: Set for **{names}**: press **Run**.")
    elif labels:
        st.button(
            f"Start {names} from it",
            icon=":material/input:",
            type="primary",
            key="knowledge_use",
            on_click=st.session_state.update,
            args=(wanted,),
            help="Only fills in the form; nothing runs yet.",
        )


def _matching_family(imported: ImportedKnowledge, run: Run | None) -> str | None:
    """Return a family that searches the base's space; None if there is none."""
    film = run.film("film") if run is not None and not run.is_alive else None
    if (
        run is not None
        and film is not None
        and _is_same_space(imported.knowledge, film.info)
    ):
        return run.spec.family.name
    named = {
        _letters_only(card.name): card for card in client.catalogue().cards_of("family")
    }
    card = named.get(_letters_only(imported.knowledge.space.name))
    return card.name if card is not None and not card.missing else None


def _is_same_space(knowledge: "Knowledge", info: Mapping[str, Any]) -> bool:
    space = info.get("evaluator") or info
    return knowledge.space.positions == tuple(space["positions"]) and (
        knowledge.space.options == tuple(tuple(names) for names in space["options"])
    )


def _letters_only(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def starting_labels(form: Mapping[str, Any]) -> list[str]:
    """Return the strategies that can start from a base: the selected ones, else one.

    Args:
        form: What the experiment's form holds.
    """
    chosen = [str(label) for label in form.get("k.chosen") or ()]
    usual = [
        e.label
        for e in derived_experiments.default_experiment(
            client.catalogue(), "search"
        ).learners
    ]
    able = [
        label
        for label in chosen
        if _can_start_from_base(spec_mapping.part_name(form, label))
    ]
    return able or [label for label in usual if _can_start_from_base(label)][:1]


def _can_start_from_base(name: str) -> bool:
    card = client.catalogue().cards.get(("learner", name))
    return (
        card is not None
        and bool(card.traits.get("knowledge"))
        and any(knob.name == KNOB for knob in card.knobs)
    )


def form_changes(
    form: Mapping[str, Any], labels: list[str], imported: ImportedKnowledge, family: str
) -> dict[str, Any]:
    """Return the form fields that make strategies start from a base."""
    chosen = list(form.get("k.chosen") or ())
    chosen += [label for label in labels if label not in chosen]
    wanted: dict[str, Any] = {"k.family": family, "k.chosen": chosen}
    for label in labels:
        place = f"k.learner.{label}"
        card = client.catalogue().card("learner", spec_mapping.part_name(form, label))
        held = {k.name: form.get(f"{place}.{k.name}", k.default) for k in card.knobs}
        now = KnowledgeSizes(int(held["best"]), int(held["capacity"]))
        sizes = run_knowledge.sizes_for_import(imported.knowledge, now)
        wanted |= {
            f"{place}.{KNOB}": imported.digest,
            f"{place}.best": sizes.best,
            f"{place}.capacity": sizes.capacity,
        }
    return wanted
