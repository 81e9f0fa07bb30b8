"""Refuse an answer that would break the project, before cookiecutter writes anything.

The answers are checked whenever cookiecutter renders a text: the next default, the folder's name.
To add a question: one that is a list is checked as it is, a free one needs an entry in `RULES`.
"""

import builtins
import hashlib
import json
import keyword
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.runtime import Context

HERE = Path(__file__).parent
# cookiecutter writes files from within the template, and imports this before it goes there.
CALLED_IN = Path.cwd()
PROJECT = HERE / "{{cookiecutter.project_slug}}"
TEMPLATE: dict[str, Any] = json.loads((HERE / "cookiecutter.json").read_text(encoding="utf-8"))
# What cookiecutter and cruft note down for themselves; nothing in the template reads it.
BOOKKEEPING = {"_template", "_output_dir", "_repo_dir", "_checkout", "_commit"}
PYTHON = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *sys.stdlib_module_names}
LOCKS = "\n".join(lock.read_text(encoding="utf-8") for lock in PROJECT.rglob("requirements*.lock"))
# Import names that no lock spells so, what a later lock may hold, a project's folders, devices.
OTHERS = """attr cookiecutter cv2 dask dateutil dns dotenv git google graphql hydra opentelemetry
    optuna pil pylab pytorch sklearn yaml data docs models noxfile overlays reports src test tests
    con prn aux nul"""
TAKEN = {*re.findall(r"(?m)^[a-z0-9][a-z0-9-]*", LOCKS), *OTHERS.split()}
TAKEN |= {path.stem for path in PROJECT.rglob("tests/*.py")}
TAKEN |= {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
EMOJI = "\u20e3\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff"
ADDRESS = re.compile(
    r"(?a)((([A-Za-z]:)?/|[\w.~])[\w.~+=/-]*)?"
    r"|(ssh://([\w.-]+@)?|(s3|gs|azure|https?|webdavs?|hdfs|webhdfs|oss|gdrive)://)"
    r"[\w.-]+(:[0-9]+)?(/[\w.~+=/-]*)?"
)
SECRET = re.compile(r"(\w+://)?.*([@?]|:(?![\\/])).*", re.DOTALL)


class Rule(NamedTuple):
    """What an answer has to be, in words and in code, and how to come near it."""

    words: str
    takes: Callable[[str], Any]
    mend: Callable[[str], str] = str.strip


def one_line(limit: int, banned: str) -> Rule:
    """Words that TOML, YAML, Python and Markdown take as they are between double quotes."""

    def tidy(text: str) -> str:
        kept = re.sub(f"[{re.escape(banned)}{EMOJI}]", "", re.sub(r"\s", " ", text))
        return "".join(filter(str.isprintable, kept)).strip()[:limit].strip()

    words = f"use one line of 1 to {limit} characters, without emoji, {' '.join(banned)}"
    return Rule(f"{words} or spaces at its ends", lambda text: text == tidy(text) != "", tidy)


def joined_by(joint: str) -> list[Rule]:
    """Lower-case ASCII words that name a folder anywhere, and nothing that the project needs."""
    shape = re.compile(rf"(?=.{{1,50}}$)[a-z][a-z0-9]*({joint}[a-z0-9]+)*")

    def nearest(text: str) -> str:
        known = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        return re.sub(r"^[0-9\W_]+", "", re.sub(r"[\W_]+", joint, known))[:50].rstrip(joint)

    words = f"use lower-case letters, digits and single {joint}, at most 50, a letter first"
    needed = "the project needs a package, folder or device of that name"
    free = Rule(needed, lambda it: it.replace("_", "-") not in TAKEN, f"{{}}{joint}project".format)
    return [Rule(words, shape.fullmatch, nearest), free]


RULES = {
    name: [Rule(f"choose one of {', '.join(choices)}", choices.__contains__)]
    for name, choices in TEMPLATE.items()
    if isinstance(choices, list) and not name.startswith("_")
} | {
    "project_name": [one_line(80, "\"'`\\{}<>")],
    "project_slug": joined_by("-"),
    "package_name": [
        *joined_by("_"),
        Rule("Python uses that name itself", lambda text: text not in PYTHON, "{}_project".format),
    ],
    "description": [one_line(200, '"\\{}<>')],
    "author_name": [one_line(80, '"\\{}<>')],
    "dvc_remote": [
        Rule(
            "give users, passwords and tokens to `dvc remote modify --local`, as this is committed",
            lambda text: ADDRESS.fullmatch(text) or not set("@?") & set(text),
            lambda text: re.sub(r"(?<=://).*@|\?.*", "", text),
        ),
        Rule(
            "use nothing, a folder like /mnt/dvc or s3://bucket/path, of a-z A-Z 0-9 . _ ~ + = / -",
            ADDRESS.fullmatch,
            lambda text: text.strip().replace("\\", "/"),
        ),
    ],
}


def complaint(name: str, value: object) -> str | None:
    """Why `value` is no answer to the question `name`, and what is; None when it is one."""
    if name not in RULES:
        own = isinstance(value, list) and set(map(str, value)) == set(TEMPLATE.get(name, "?"))
        fine = own or name in BOOKKEEPING
        return None if fine else f"{name[:40]!r} is not a question of this template; leave it out."
    # no rule takes a line break, so what is not text is refused
    text = mended = value if isinstance(value, str) else f"{value!r}\n"
    for rule in RULES[name]:
        mended = mended if rule.takes(mended) else rule.mend(mended)
    remedy = f"; try {mended!r}" if all(rule.takes(mended) for rule in RULES[name]) else ""
    words = next((rule.words for rule in RULES[name] if not rule.takes(text)), None)
    shown = SECRET.sub(r"\1***", text) if name == "dvc_remote" else text
    short = shown if len(shown) <= 40 else shown[:37] + "..."
    return words and f"{name}={short!r} will not do: {words}{remedy}."


def origin(told: dict[str, Any]) -> str:
    """Return what `.template.json` says: which template made the project, and of which answers."""
    answers = {name: it for name, it in told.items() if name in TEMPLATE and name[0] != "_"}
    version = (HERE / "VERSION").read_text("utf-8").strip()
    address = address_of(str(told.get("_template", "")))
    found = {"template": address, "version": version, "revision": revision(), "answers": answers}
    return json.dumps(found, indent=2, ensure_ascii=False)


def address_of(given: str) -> str:
    """Return the template's address as it leads there from anywhere, without what is secret.

    A folder's is its absolute path: to whom it was typed in another folder, `.` says nothing.
    """
    given = given.removeprefix("git+")
    if given.lower().startswith("ssh://"):  # Whose account is no secret, and is needed.
        return re.sub(r"(?<=://)([^:@/]*):[^/]*@", r"\1@", given)
    address = re.sub(r"(?<=://)[^/]*@", "", given)
    if address and (CALLED_IN / address).is_dir():
        address = os.path.normpath(CALLED_IN / address)
    home = str(Path.home())
    return f"~{address[len(home) :]}" if address.startswith(home + os.sep) else address


def revision() -> str | None:
    """Return the template's commit; None where it is in no repository of its own, or changed."""
    words = [["rev-parse", "--show-prefix", "HEAD"], ["status", "--porcelain"]]
    try:
        told, changed = (
            subprocess.run(["git", "-C", str(HERE), *it], capture_output=True, text=True)
            for it in words
        )
    except FileNotFoundError:
        return None
    prefix, _, commit = told.stdout.partition("\n")
    clean = not told.returncode and not prefix and not changed.stdout
    return commit.strip() if clean else None


def manifest(_: object) -> str:
    """Return a line of sha256sum's for each file of the engine, as the bake copies it."""
    engine = PROJECT / "src" / "mlrails"
    names = sorted(it.relative_to(engine).as_posix() for it in engine.rglob("*") if it.is_file())
    return "\n".join(
        f"{hashlib.sha256((engine / name).read_bytes()).hexdigest()}  {name}"
        for name in names
        if name != "MANIFEST" and "__pycache__" not in name
    )


class CheckedContext(Context):
    """A template context, made of answers that will do."""

    def __init__(self, environment: Environment, parent: dict[str, Any], *more: Any, **named: Any):
        found = [complaint(*answer) for answer in parent.get("cookiecutter", {}).items()]
        if worst := next(filter(None, found), None):
            # a terminal without the letters must not make a traceback of the sentence
            code = getattr(sys.stdout, "encoding", None) or "ascii"
            raise FailedHookException(worst.encode(code, "backslashreplace").decode(code))
        super().__init__(environment, parent, *more, **named)


class CheckedAnswers(Extension):
    """Check the answers in every template context, and take them as text, never as code."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.context_class = CheckedContext
        # cruft renders two versions of the template in one process: each imports its own
        sys.modules.pop(__name__, None)
        environment.filters |= {"origin": origin, "manifest": manifest}
        defaults = [text for text in TEMPLATE.values() if isinstance(text, str)]
        hooks = [hook.read_text(encoding="utf-8") for hook in HERE.glob("hooks/*.py")]
        self.own = {PROJECT.name, *defaults, *hooks}

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Quote an answer, which cookiecutter would run; the project's files have a loader."""
        own = self.environment.loader is not None or source in self.own
        return source if own else "{{ " + ascii(source) + " }}"
