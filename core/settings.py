"""All settings in one typed object: environment variables `CLOUDBRUSH_*`, and flags of the start
command. `docs/settings.md` lists the same fields; a test holds the two together.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.addresses import allow, remote_path
from core.errors import SettingsError


class Settings(BaseSettings):
    """What a person who runs Cloudbrush may choose."""

    model_config = SettingsConfigDict(env_prefix="CLOUDBRUSH_", frozen=True, extra="forbid")

    workspace: Path = Field(
        Path("workspace"),
        description="Folder of ours: database, caches, predictions, models, exports.",
    )
    database_url: str = Field(
        "", description="SQLAlchemy address; empty means cloudbrush.db in the workspace."
    )
    address: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8501, ge=1, le=65535, description="Port for pages, tiles and edits.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where networks run; auto takes a GPU when torch finds one."
    )
    data_roots: tuple[Path, ...] = Field(
        (Path.home(),),
        description="Folders that datasets may be imported from (JSON list). "
        "The workspace and real_data are always allowed.",
    )
    remote_roots: tuple[str, ...] = Field(
        (),
        description="Addresses that rasters may be read from, by how they start "
        "(JSON list of s3://... and https://...); none means that nothing is fetched.",
    )
    real_data: Path | None = Field(
        None, description="Folder of real rasters for the tests and the tour on real input."
    )

    @field_validator("workspace", "real_data")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().resolve() if path else path

    @field_validator("data_roots")
    @classmethod
    def _absolute_roots(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(root.expanduser().resolve() for root in roots)

    @field_validator("remote_roots")
    @classmethod
    def _addresses(cls, roots: tuple[str, ...]) -> tuple[str, ...]:
        for root in roots:
            remote_path(root)
        return roots

    @property
    def url(self) -> str:
        """Return the database address in force."""
        return self.database_url or f"sqlite:///{self.workspace / 'cloudbrush.db'}"

    @property
    def allowed_roots(self) -> tuple[Path, ...]:
        """Return every folder and remote path that rasters may be read from."""
        extra = (self.real_data,) if self.real_data else ()
        remote = (remote_path(address) for address in self.remote_roots)
        return (*remote, self.workspace, *self.data_roots, *extra)


def load_settings(**flags: object) -> Settings:
    """Return the settings from the environment, overridden by `flags` that are not None.

    They say as well which addresses this process may fetch. Raises `SettingsError` that names the
    field.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks each field
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"setting {'.'.join(map(str, first['loc']))}",
            found=repr(first.get("input")),
            expected=first["msg"],
            todo="See docs/settings.md.",
        ) from error
    allow(settings.remote_roots)
    return settings
