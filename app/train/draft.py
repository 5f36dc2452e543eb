"""What a person has chosen so far, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.session import Context
from core.errors import CloudbrushError
from core.records import ModelRecord, Project, Tile
from models.request import RetrainRequest, request_of
from models.zoo import Task

DEFAULT = RetrainRequest()


@dataclass(frozen=True)
class About:
    """What the form is about: the tiles that can be learnt from, their inputs and the models."""

    here: Context
    project: Project
    tiles: Sequence[Tile]
    inputs: tuple[str, ...]
    known: Sequence[ModelRecord]
    shown: ModelRecord | None

    @property
    def task(self) -> Task:
        """Return what networks are wanted for."""
        return "damage" if self.project.kind == "damage" else "land cover"

    def model(self, key: str | int) -> ModelRecord | None:
        """Return the model that a start means, None for none."""
        if key == "promoted":
            return self.shown
        return next((model for model in self.known if model.id == key), None)


@dataclass
class Draft:
    """Values by field of the request; a field that nobody touched is not among them."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any) -> None:  # noqa: ANN401  # any field
        """Take a value over, unless it is the default."""
        if value != getattr(DEFAULT, name):
            self.values[name] = value

    def get(self, name: str) -> Any:  # noqa: ANN401
        """Return the value of a field as it stands."""
        return self.values.get(name, getattr(DEFAULT, name))

    def request(self) -> RetrainRequest | None:
        """Return the request; None where something is wrong, which is then among the faults."""
        if self.faults:
            return None
        request = RetrainRequest(**self.values)
        try:
            return request_of(request.payload())
        except CloudbrushError as error:
            self.faults.append(str(error))
            return None
