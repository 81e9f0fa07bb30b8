"""Versions of the registered model, one for each digest, and the aliases that point to them.

MLflow promises neither that a tag is unique nor that an alias moves only once, so a version is
looked for after it was made as well: of several with one digest the lowest stays. Whose turn it is
to move an alias is decided by `lock`.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..core.errors import DeniedError, OutageError, UsageError, WorldError
from ..core.settings import Settings
from ..tracking import store
from ..tracking.client import EDIT, MANAGE, READ, every, in_words, masked, needed
from . import git_branch

CHAMPION, CHALLENGER = "champion", "challenger"
STAGE = "stage"
STAGING, PRODUCTION, ARCHIVED = "staging", "production", "archived"
ROLLED_BACK = "rolled_back"
JUDGED_UNTIL = "judged_until"
"""The last day of the rows that a version was made of or judged by, where a final part is kept."""
LOCAL = "local"
"""What the model of this folder is called, where a version has its number."""
FOLDER = "folder:"
"""The model of this folder as what is wanted: no alias bears a colon."""
_ALIAS = re.compile(r"(?!\d+\Z)[\w-]+")


@dataclass(frozen=True)
class Version:
    """One version of the registered model."""

    number: int
    tags: Mapping[str, str]
    run_id: str

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return self.tags.get("digest", "")


def named(version: int | None, alias: str | None, local: bool = False) -> str:
    """Return what is wanted in one word; raises UsageError where more than one is named."""
    said = {"--version": version is not None, "--alias": alias is not None, "--local": local}
    if sum(said.values()) > 1:
        raise UsageError(f"{' and '.join(it for it in said if said[it])}: name one of them")
    if alias is not None and not _ALIAS.fullmatch(alias):
        raise UsageError(f"--alias {alias!r}: no alias is called that; a number is a --version")
    if local:
        return FOLDER
    return str(version) if version is not None else alias or CHAMPION


def delete_duplicates(
    client: Any, store: str, model: str, same: Sequence[Version], pointed: Collection[int]
) -> None:
    """Delete all but the first of the versions of one digest, whoever has made them.

    `store` and `model` are their names; `pointed` are the numbers that aliases point to. Raises
    WorldError, and deletes nothing, where one of them is or was in use: no race makes such a one.
    """
    from mlflow.exceptions import MlflowException

    for twin in same[1:]:
        if twin.number in pointed or twin.tags.get(STAGE) in {PRODUCTION, ARCHIVED}:
            raise WorldError(
                f"{store}: versions {same[0].number} and {twin.number} have the same digest, and "
                f"{twin.number} is or was in use; delete {same[0].number}, or set its tag `digest` "
                "right"
            )
    for twin in same[1:]:
        with suppress(MlflowException):  # Another process was faster.
            client.delete_model_version(model, str(twin.number))


_LOGGED = "models:/"
_VERSIONS = "mlflow.modelVersions"
"""The tag by which a logged model knows its versions."""
_LONGEST_DESCRIPTION = 5000
"""Characters that every database behind MLflow can hold."""
_HERE = Path()


class Registry:
    """The registered model in one store."""

    def __init__(
        self,
        client: Any,
        uri: str,
        model: str,
        name: str = "",
        root: Path = _HERE,
        signing_key: Path | str | None = None,
    ) -> None:
        self.client = client
        self.uri = uri
        self.model = model
        """The registered model's name, and that of the experiment: the project's."""
        self.name = name or masked(uri)
        """What outputs call it."""
        self._edit, self._read = (needed(it, "registered model", model) for it in (EDIT, READ))
        self.root = root
        """The project: copies are made in its folder, and signatures must verify with its key."""
        self.signing_key = signing_key
        """A private key (PEM) or its file, where versions are signed."""

    def versions(self) -> Sequence[Version]:
        """Return all versions, oldest first."""
        return self._search(f"name = '{self.model}'")

    def of_digest(self, digest: str) -> Version | None:
        """Return the version of a digest, the lowest where a race has left several."""
        return next(iter(self._of_digest(digest)), None)

    def _of_digest(self, digest: str) -> Sequence[Version]:
        return self._search(f"name = '{self.model}' AND tags.`digest` = '{digest}'")

    def get(self, number: int) -> Version:
        """Return a version; raises UsageError naming the ones that there are."""
        found = self.versions()
        for version in found:
            if version.number == number:
                return version
        if not found:  # A server shows no versions either of what the account may not read.
            self.aliases()
        known = ", ".join(str(version.number) for version in found) or "none yet"
        raise UsageError(f"there is no version {number} in {self.name}; there are: {known}")

    def aliased(self, alias: str) -> Version | None:
        """Return the version that an alias points to; raises WorldError where that is gone."""
        number = self.pointed(alias)
        if number is None:
            return None
        if found := [version for version in self.versions() if version.number == number]:
            return found[0]
        raise WorldError(
            f"{self.name}: the alias {alias!r} points to version {number}, which is gone; point it "
            "to one that is there with `nox -s rollback -- VERSION`"
        )

    def pointed(self, alias: str) -> int | None:
        """Return the number that an alias points to, be it there or not."""
        number = self.aliases().get(alias)
        return None if number is None else int(number)

    def register(
        self, source: str, run_id: str, tags: Mapping[str, str], description: str, about: str = ""
    ) -> Version:
        """Return the version of the tags' digest, found or made; the rest is set anew.

        `about` describes the registered model, unless somebody has done so.
        """
        digest, description = tags["digest"], description[:_LONGEST_DESCRIPTION]
        experiment = needed(READ, "experiment", self.model)
        make = f"{self._edit}, or where there is none the right to make it, and {experiment}"
        with in_words(self.uri, make):
            self._make_name(about[:_LONGEST_DESCRIPTION])
            if self.of_digest(digest) is None:
                model_id = source.removeprefix(_LOGGED) if _LOGGED in source else None
                self.client.create_model_version(
                    self.model,
                    source,
                    run_id,
                    dict(tags),
                    description=description,
                    model_id=model_id,
                )
            same = self._of_digest(digest)
            if same[1:]:
                pointed = {int(number) for number in self.aliases().values()}
                delete_duplicates(self.client, self.name, self.model, same, pointed)
        if not same:
            raise WorldError(f"{self.name}: the version of {digest[:12]} was deleted; try again")
        found = same[0]
        with in_words(self.uri, self._edit):
            self.client.update_model_version(self.model, str(found.number), description)
        # A call for each tag, so only for those that are not there already.
        new = {name: value for name, value in tags.items() if found.tags.get(name) != value}
        self.tag(found.number, new)
        self.link(found.number)
        return replace(found, tags={**found.tags, **new})

    def link(self, number: int) -> None:
        """Let the logged model know its version, as MLflow's pages ask for; once is enough.

        They offer to register a model that does not know it, which would make a second version.
        It is for the pages alone: an account that may not, or a model that is gone, is no failure.
        """
        try:
            with in_words(self.uri):
                self._link(number)
        except OutageError:
            raise
        except WorldError:
            return

    def _link(self, number: int) -> None:
        source = self.client.get_model_version(self.model, str(number)).source or ""
        model_id = source.removeprefix(_LOGGED)
        if not source.startswith(_LOGGED) or not model_id.startswith("m-"):
            return
        told = json.loads(self.client.get_logged_model(model_id).tags.get(_VERSIONS) or "[]")
        if not any(it == {"name": self.model, "version": number} for it in told):
            others = [it for it in told if it.get("name") != self.model]
            value = json.dumps([*others, {"name": self.model, "version": number}])
            self.client.set_logged_model_tags(model_id, {_VERSIONS: value})

    def tag(self, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        with in_words(self.uri, self._edit):
            for name, value in tags.items():
                self.client.set_model_version_tag(self.model, str(number), name, value)

    def untag(self, number: int, name: str) -> None:
        """Take a tag from a version; one that is not there is no error."""
        if name not in self.get(number).tags:
            return
        try:
            with in_words(self.uri, self._edit):
                self.client.delete_model_version_tag(self.model, str(number), name)
        except DeniedError:  # To delete takes MANAGE; one without a value counts as none.
            self.tag(number, {name: ""})

    def point(self, alias: str, number: int) -> None:
        """Let an alias point to a version."""
        with in_words(self.uri, self._edit):
            self.client.set_registered_model_alias(self.model, alias, str(number))

    def unpoint(self, alias: str) -> None:
        """Take an alias away; one that is not there is no error."""
        with in_words(self.uri, needed(MANAGE, "registered model", self.model)):
            if alias in self.aliases():
                self.client.delete_registered_model_alias(self.model, alias)

    def aliases(self) -> Mapping[str, Any]:
        """Return the number that each alias points to."""
        found = self._registered()
        return dict(found.aliases) if found else {}

    def exists(self) -> bool:
        """Tell whether there is a model of the project's name, with versions or without."""
        return self._registered() is not None

    def _registered(self) -> Any:
        """Return the registered model, or None where there is none."""
        from mlflow.exceptions import MlflowException

        with in_words(self.uri, self._read):
            try:
                return self.client.get_registered_model(self.model)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None

    def _search(self, condition: str) -> Sequence[Version]:
        with in_words(self.uri, self._read):
            search = self.client.search_model_versions
            found = every(lambda it: search(condition, max_results=1000, page_token=it))
        versions = [Version(int(it.version), _told(it.tags), it.run_id or "") for it in found]
        return sorted(versions, key=lambda version: version.number)

    def _make_name(self, about: str) -> None:
        from mlflow.exceptions import MlflowException

        there = self.client.search_registered_models(f"name = '{self.model}'")
        if not there:
            try:
                self.client.create_registered_model(self.model, description=about or None)
            except MlflowException:  # Another process was faster.
                self.client.get_registered_model(self.model)
        elif about and not there[0].description:
            self.client.update_registered_model(self.model, about)


def _told(tags: Mapping[str, str]) -> dict[str, str]:
    """Leave out a mark of a rollback that was taken away, where it could not be deleted."""
    return {name: value for name, value in tags.items() if value or name != ROLLED_BACK}


def connect_to_read(settings: Settings) -> Registry:
    """Return the registry for who only reads; raises OutageError where its database is missing."""
    if not settings.on_branch:
        store.require(settings)
    return connect(settings)


def connect(settings: Settings) -> Registry:
    """Return the registry of the store that the settings name, made where it is missing."""
    name = git_branch.registry_name(settings) if settings.on_branch else ""
    ours = (settings.name, name, settings.root, settings.signing_key)
    return Registry(store.connect(settings), store.address(settings), *ours)
