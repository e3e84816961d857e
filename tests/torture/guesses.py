"""What one visitor of a served demo may try, to see what another one has."""

import random
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg

from app import url_checks
from app.web.visitor_cookie import COOKIE
from engine.store.share_tokens import share_token
from tests.benchmarks.visitors import address_of
from tests.torture.listener import Listener

PAGES = ("", "lab", "runs", "compare", "claims", "learn")
DIGITS = "0123456789abcdef"
GROUP = secrets.token_hex(6)  # the id of her group of runs


class Plan(NamedTuple):
    """One kind of guess, and how many of a hundred are of it."""

    kind: str
    share: int
    guess: "Callable[[], AsyncIterator[bytes]]"


class World(NamedTuple):
    """What there is to guess.

    Args:
        url: The demo's address.
        home: Its store.
        ann: Whose runs they are.
        bob: Who guesses.
        keys: The keys of her runs.
        room: The name of her workspace.
        dice: Draws the guesses.
    """

    url: str
    home: Path
    ann: Listener
    bob: Listener
    keys: list[str]
    room: str
    dice: random.Random


def _near(dice: random.Random, right: str) -> str:
    """Return a hex text with another digit at one place, cut, or wholly other."""
    at = dice.randrange(len(right))
    other = dice.choice(DIGITS.replace(right[at], ""))
    drawn = "".join(dice.choices(DIGITS, k=len(right)))
    near = right[:at] + other + right[at + 1 :]
    return dice.choice([drawn, near, right[:at], right.upper() + "%20"])


def make_plans(world: World) -> list[Plan]:
    return [
        Plan("previews", 45, lambda: previews(world)),
        Plan("files", 30, lambda: guess_files(world)),
        Plan("pages", 14, lambda: pages(world)),
        Plan("replays", 5, lambda: replays(world)),
        Plan("messages", 3, lambda: messages(world)),
        Plan("cookies", 3, lambda: cookies(world)),
    ]


async def previews(world: World) -> AsyncIterator[bytes]:
    """Ask for the head of a page, which a preview of a link would show."""
    dice = world.dice
    while True:
        key, other = dice.choice(world.keys), dice.choice(world.keys)
        token = share_token(world.home, other)
        wrong = token if key != other else _near(dice, token)
        page, about = dice.choice(PAGES), dice.choice(["", "&tab=Reproduce", "&show=x"])
        path = f"/{page}?run={key}&share={wrong}{about}"
        yield await world.bob.request("GET", path)


async def guess_files(world: World) -> AsyncIterator[bytes]:
    """Ask for figures, media, uploads and whatever else might be a file of hers."""
    dice, ann = world.dice, world.ann
    room = f"workspaces/{world.room}"
    while True:
        figure = dice.choice(ann.figures)
        up = dice.choice(["../", "%2e%2e/", "..%2f", "....//"]) * dice.randint(1, 6)
        root = dice.choice(["media", "static", "component", "app/static", "figures"])
        inside = dice.choice(["index.sqlite", f"runs/{world.keys[0]}/run.json"])
        session = dice.choice([ann.session, _near(dice, "0" * 36)])
        verb, path = dice.choice(
            [
                ("GET", f"/figures/{_near(dice, figure)}.json"),
                ("GET", f"/media/{_near(dice, '0' * 56)}.html"),
                ("GET", f"/{root}/{up}{room}/{inside}"),
                ("GET", f"/{room}/{inside}"),
                ("PUT", f"/_stcore/upload_file/{session}/{secrets.token_hex(8)}"),
                ("DELETE", f"/_stcore/upload_file/{session}/{secrets.token_hex(8)}"),
                ("POST", f"/runs?run={dice.choice(world.keys)}"),
            ]
        )
        yield await world.bob.request(verb, path)


async def pages(world: World) -> AsyncIterator[bytes]:
    """Open a page with what a link of hers might name; what comes is noted."""
    dice = world.dice
    view = sorted(url_checks.VIEW)
    while True:
        key = dice.choice(world.keys)
        wrong = _near(dice, share_token(world.home, key))
        named = {
            "run": dice.choice([key, _near(dice, key)]),
            "runs": ",".join(k[: dice.randint(8, 64)] for k in world.keys),
            "sweep": GROUP,
            "share": wrong,
            "find": dice.choice(["title", "tag", "note", key[:12]]),
            dice.choice(view): dice.choice([key, GROUP, "All", "tag"]),
        }
        asked = {n: v for n, v in named.items() if dice.random() < 0.6}
        await world.bob.go_to(dice.choice(PAGES), urlencode(asked))
        yield b""


async def replays(world: World) -> AsyncIterator[bytes]:
    """Send what her browser sent: addresses, widgets and clicks on her buttons."""
    while True:
        moment = world.dice.choice(world.ann.moments)
        await world.bob.replay(moment, world.dice)
        yield b""


def ask_for_download(session: str, name: str) -> BackMsg:
    """Return the message that a click on a download sends."""
    asked = BackMsg()
    asked.backend_operation_request.session_id = session
    asked.backend_operation_request.request_id = secrets.token_hex(4)
    asked.backend_operation_request.deferred_file.file_id = name
    return asked


async def messages(world: World) -> AsyncIterator[bytes]:
    """Ask in her session's name for downloads, rows of tables and upload addresses."""
    dice, ann = world.dice, world.ann
    while True:
        session = dice.choice([ann.session, world.bob.session])
        name = _near(dice, dice.choice(list(ann.downloads)))
        asked = ask_for_download(session, name)
        match dice.choice(["download", "rows", "addresses"]):
            case "rows":
                table = asked.backend_operation_request.dataframe_chunk
                table.source_id, table.limit = name, 100
            case "addresses":
                asked.file_urls_request.session_id = session
                asked.file_urls_request.file_names.append("x.csv")
        yield await world.bob.answer_to(asked)


async def cookies(world: World) -> AsyncIterator[bytes]:
    """Come as another browser, whose cookie is like hers, or names her workspace."""
    dice = world.dice
    held = world.ann.cookies[COOKIE]
    while True:
        value = dice.choice([_near(dice, held), world.room, held.upper(), f"{held}0"])
        host = address_of(dice.randrange(9, 9999))
        guest = Listener(world.url, world.bob.words, host=host, cookies={COOKIE: value})
        await guest.open("/runs")
        world.bob.seen.update(guest.seen)
        world.bob.errors += guest.faults
        await guest.close()
        yield b""
