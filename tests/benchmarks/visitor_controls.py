"""The controls of a page as a browser sees them, and what a click on each sends."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.WidgetStates_pb2 import WidgetState


@dataclass
class Control:
    """One widget.

    Args:
        id: Streamlit's id of it.
        kind: Its type in the protocol.
        label: Its label, else its key.
        fragment: Id of the fragment that it is in; empty outside of fragments.
        initial: What the browser reports before it is touched.
        forced: What the server has set it to, if it has.
        choices: Other states that a user could give it.
        parameter: The parameter of the address that it is bound to.
        is_disabled: Whether it cannot be changed.
    """

    id: str
    kind: str
    label: str = ""
    fragment: str = ""
    initial: WidgetState | None = None
    forced: WidgetState | None = None
    choices: tuple[WidgetState, ...] = ()
    parameter: str = ""
    is_disabled: bool = False

    def in_address(self, state: WidgetState) -> str:
        """Return a state as the address holds it."""
        if state.WhichOneof("value") == "string_array_value":
            return ",".join(state.string_array_value.data)
        return str(getattr(state, state.WhichOneof("value") or "string_value"))

    def other(
        self, held: WidgetState | None, draw: random.Random
    ) -> WidgetState | None:
        """Draw a state that differs from the present one; None if there is none."""
        now = held or self.initial
        found = [state for state in self.choices if state != now]
        return draw.choice(found) if found else None


def _text(name: str, text: str) -> WidgetState:
    return WidgetState(id=name, string_value=text)


def _texts(name: str, texts: list[str]) -> WidgetState:
    state = WidgetState(id=name)
    state.string_array_value.data.extend(texts)
    return state


def _forced(e: Any) -> WidgetState:
    """Return what the server sets; nothing is chosen where it names no value."""
    return _text(e.id, e.raw_value) if e.HasField("raw_value") else WidgetState(id=e.id)


def _one_of(e: Any) -> dict[str, Any]:
    """Read a select box or radio group."""
    options = list(e.options)
    index = e.default if e.HasField("default") else None
    first = options[index] if index is not None and options else None
    return {
        "initial": None if first is None else _text(e.id, first),
        "forced": _forced(e) if e.set_value else None,
        "choices": tuple(_text(e.id, option) for option in options),
    }


def _button_group(e: Any) -> dict[str, Any]:
    options = [option.content for option in e.options]
    return {
        "initial": _texts(e.id, [options[i] for i in e.default]),
        "forced": _texts(e.id, list(e.raw_values)) if e.set_value else None,
        "choices": tuple(_texts(e.id, [option]) for option in options),
    }


def _slider(e: Any) -> dict[str, Any]:
    if e.type == e.SELECT_SLIDER:
        options = list(e.options)
        first = _texts(e.id, [options[int(i)] for i in e.default])
        return {
            "initial": first,
            "forced": _texts(e.id, list(e.raw_value)) if e.set_value else None,
            "choices": tuple(_texts(e.id, [option]) for option in options),
        }

    def state(numbers: list[float]) -> WidgetState:
        made = WidgetState(id=e.id)
        made.double_array_value.data.extend(numbers)
        return made

    middle = [e.min + round((e.max - e.min) / e.step / k) * e.step for k in (2, 3, 4)]
    return {
        "initial": state(list(e.default)),
        "forced": state(list(e.value)) if e.set_value else None,
        "choices": tuple(state([at]) for at in middle) if len(e.default) == 1 else (),
    }


def _number(e: Any) -> dict[str, Any]:
    first = e.default if e.HasField("default") else None
    now = e.value if e.set_value else first
    near = [] if now is None else [now + e.step, now - e.step]
    near = [n for n in near if not (e.has_max and n > e.max)]
    near = [n for n in near if not (e.has_min and n < e.min)]
    states = [WidgetState(id=e.id, double_value=n) for n in near]
    given = None if first is None else WidgetState(id=e.id, double_value=first)
    forced = WidgetState(id=e.id, double_value=e.value) if e.set_value else None
    return {"initial": given, "forced": forced, "choices": tuple(states)}


def _checkbox(e: Any) -> dict[str, Any]:
    both = tuple(WidgetState(id=e.id, bool_value=value) for value in (False, True))
    return {
        "initial": both[bool(e.default)],
        "forced": both[bool(e.value)] if e.set_value else None,
        "choices": both,
    }


def _field(e: Any) -> dict[str, Any]:
    forced = _text(e.id, e.value) if e.set_value else None
    return {"initial": _text(e.id, e.default), "forced": forced}


def _many_of(e: Any) -> dict[str, Any]:
    options = list(e.options)
    return {
        "initial": _texts(e.id, [options[i] for i in e.default]),
        "forced": _texts(e.id, list(e.raw_values)) if e.set_value else None,
    }


def _button(e: Any) -> dict[str, Any]:
    return {"choices": (WidgetState(id=e.id, trigger_value=True),)}


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "selectbox": _one_of,
    "radio": _one_of,
    "button_group": _button_group,
    "slider": _slider,
    "number_input": _number,
    "checkbox": _checkbox,
    "text_input": _field,
    "multiselect": _many_of,
    "button": _button,
}


class Tabs:
    """The tabs of a page: their labels come one by one, below their container."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, ...], Control] = {}

    def control_in(self, delta: Delta, path: tuple[int, ...]) -> Control | None:
        """Return the tabs that a message draws or adds to, if any."""
        block = delta.add_block
        if block.WhichOneof("type") == "tab_container" and block.tab_container.id:
            tabs = block.tab_container
            first = _text(tabs.id, tabs.default_tab_label)
            self._open[path] = Control(
                id=tabs.id,
                kind="tab",
                label=tabs.query_param_key or "tab",
                fragment=delta.fragment_id,
                initial=first if tabs.default_tab_label else None,
                parameter=tabs.query_param_key,
            )
            return self._open[path]
        if block.WhichOneof("type") == "tab" and path[:-1] in self._open:
            held = self._open[path[:-1]]
            state = _text(held.id, block.tab.label)
            held.choices = (*held.choices, state)
            held.initial = held.initial or state
            return held
        return None


def control_in(delta: Delta) -> Control | None:
    """Return the control that a message to the browser draws, if any."""
    if delta.WhichOneof("type") != "new_element":
        return None
    kind = delta.new_element.WhichOneof("type")
    read = _READERS.get(str(kind))
    if read is None:
        return None
    element = getattr(delta.new_element, str(kind))
    return Control(
        id=element.id,
        kind=str(kind),
        label=element.label or element.id.rpartition("-")[2],
        fragment=delta.fragment_id,
        parameter=getattr(element, "query_param_key", ""),
        is_disabled=element.disabled,
        **read(element),
    )
