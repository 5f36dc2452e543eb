"""Rasters behind an address: only those that a setting names, and nobody is sent elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from core.addresses import address_of, is_remote, remote_path
from core.errors import DatasetError, RasterError, SettingsError
from core.raster import check_allowed, read
from core.settings import load_settings
from core.sources.source import Source
from tests.rasters import grid_of, noise, save
from tests.server import Files


def test_a_file_behind_an_allowed_address_reads_like_its_copy(tmp_path: Path, server: str) -> None:
    values = noise(1, 3, 700, 600)
    save(tmp_path / "scene.tif", values, grid_of(700, 600))
    roots = load_settings(remote_roots=(f"{server}/open/",)).allowed_roots
    path = check_allowed(remote_path(f"{server}/open/scene.tif"), roots)
    assert np.array_equal(read([Source(path, 3), Source(path, 1)]).values, values[[2, 0]])
    asked = {name for name, _ in Files.seen}
    assert asked == {"/open/scene.tif"}, "no request for what may lie beside the file"


def test_nothing_is_fetched_unless_a_setting_names_the_address(server: str) -> None:
    path = remote_path(f"{server}/open/scene.tif")
    other = (f"{server}/other/", "s3://bucket/open", "https://127.0.0.1/open/", f"{server}/ope")
    for roots in ((), other):
        with pytest.raises(DatasetError, match="an address that may not be read"):
            check_allowed(path, load_settings(remote_roots=roots).allowed_roots)
    assert Files.seen == []


def test_a_server_that_sends_its_readers_elsewhere_is_refused(tmp_path: Path, server: str) -> None:
    save(tmp_path / "scene.tif", noise(1, 8, 8))
    with pytest.raises(RasterError, match=r"sends its readers to '/open/scene\.tif'"):
        read([Source(remote_path(f"{server}/moved/scene.tif"), 1)])
    assert [name for name, _ in Files.seen] == ["/moved/scene.tif"]


def test_secrets_of_the_environment_stay_with_gdal(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "scene.tif", noise(1, 8, 8))
    monkeypatch.setenv("GDAL_HTTP_HEADERS", "Authorization: Bearer secret")
    path = remote_path(f"{server}/open/scene.tif")
    read([Source(path, 1)])
    sent = [headers.get("Authorization") for _, headers in Files.seen]
    assert sent[0] is None, "the question whether it stays there carries no secret"
    assert "Bearer secret" in sent[1:]


def test_a_bucket_is_read_with_the_keys_of_the_environment(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise(1, 40, 30)
    save(tmp_path / "scene.tif", values, grid_of(40, 30))
    keys = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret"}
    where = {"AWS_S3_ENDPOINT": server.removeprefix("http://"), "AWS_HTTPS": "NO"}
    plain = {"AWS_VIRTUAL_HOSTING": "FALSE", "AWS_REGION": "nowhere"}
    for name, value in (keys | where | plain).items():
        monkeypatch.setenv(name, value)
    roots = load_settings(remote_roots=("s3://bucket/",)).allowed_roots
    path = check_allowed(remote_path("s3://bucket/a/scene.tif"), roots)
    assert np.array_equal(read([Source(path, 1)]).values[0], values)
    assert {name for name, _ in Files.seen} == {"/bucket/a/scene.tif"}
    assert all("me/" in headers["Authorization"] for _, headers in Files.seen)


@pytest.mark.parametrize(
    "content", [None, b"no tiff at all", b"II*\x00" + b"\xff" * 50], ids=["missing", "text", "cut"]
)
def test_what_is_no_raster_is_named_by_its_address(
    tmp_path: Path, server: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "bad.tif").write_bytes(content)
    with pytest.raises(RasterError, match=r"bad\.tif"):
        read([Source(remote_path(f"{server}/open/bad.tif"), 1)])


def test_what_was_imported_is_not_fetched_when_it_is_no_longer_allowed(
    tmp_path: Path, server: str
) -> None:
    save(tmp_path / "scene.tif", noise(1, 8, 8))
    path = remote_path(f"{server}/open/scene.tif")
    load_settings()
    with pytest.raises(DatasetError, match="an address that may not be read"):
        read([Source(path, 1)])
    assert Files.seen == []


def test_a_server_that_does_not_answer_is_named() -> None:
    load_settings(remote_roots=("http://127.0.0.1:9/",))
    with pytest.raises(RasterError, match=r"http://127\.0\.0\.1:9/x\.tif.*expected a server"):
        read([Source(remote_path("http://127.0.0.1:9/x.tif"), 1)])


def test_only_files_that_gdal_may_open_are_asked_for(server: str) -> None:
    with pytest.raises(RasterError, match=r"found \.vrt"):
        read([Source(remote_path(f"{server}/open/x.vrt"), 1)])
    assert Files.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "https://host/a/../b.tif",
        "https://host/a/%2e%2e/b.tif",
        "https://host/a%2Fb.tif",
        "https://user:word@host/b.tif",
        "https://host/b.tif?sig=1",
        "https://host/b.tif#x",
        "https://host/a b.tif",
        "https://host\\@other/b.tif",
        "ftp://host/b.tif",
        "file:///etc/passwd",
        "/vsizip/x.zip/b.tif",
        "https:///b.tif",
        "https://host:x/b.tif",
        "",
    ],
)
def test_addresses_that_could_mean_another_file_are_refused(address: str) -> None:
    with pytest.raises(DatasetError, match="no plain address"):
        remote_path(address)
    with pytest.raises(SettingsError, match="remote_roots"):
        load_settings(remote_roots=(address,))


def test_addresses_become_paths_and_back() -> None:
    for address in ("s3://bucket/a/b.tif", "https://host:8443/a/b.tif", "http://host/b%20c.tif"):
        path = remote_path(address)
        assert is_remote(path) and address_of(path) == address
    assert not is_remote(Path("/vsizip/a.zip/b.tif")) and not is_remote(Path("a/b.tif"))


def test_paths_that_were_made_by_hand_are_held_to_the_same_rules() -> None:
    roots = load_settings(remote_roots=("https://host/open/",)).allowed_roots
    for text in ("/vsicurl/https:/host/open/../secret.tif", "/vsicurl/ftp:/host/open/a.tif"):
        with pytest.raises(DatasetError):
            check_allowed(Path(text), roots)
    assert check_allowed(Path("/vsicurl/https:/host/open/a.tif"), roots)
