"""The editor on its real routes without Streamlit: one page that mounts it with manifests.

`Harness` serves a store in a thread. It can be stopped and started again on the same port, which is
how the tests take the server away from under a stroke.
"""

import threading
import time
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app.editor.mount import manifest
from app.routes import routes
from app.routes.assets import address
from core import catalogue
from core.records import Person
from core.settings import Settings
from core.store.engine import Store
from tests.live import free_port

PAGE = """<!doctype html><meta charset="utf-8"><title>Editor</title><body style="margin:0">
<input id="field" style="position:fixed;top:-100px"><div id="host"></div>
<script type="module">
import mount from 'MAIN';
const parentElement = document.getElementById('host').attachShadow({mode: 'open'});
const query = new URLSearchParams(location.search);
window.commands = [];
async function show(tile) {
  const data = await (await fetch(`/manifest/${tile}?person=${query.get('person') ?? ''}`)).json();
  mount({data, parentElement, setTriggerValue: (name, value) => {
    window.commands.push(value);
    if (value.action === 'renew' && !window.stay) show(tile);
    if (['next', 'previous', 'skip', 'done'].includes(value.action)) show(value.tile);
  }});
}
window.show = show;
show(query.get('tile'));
</script>"""


@dataclass
class Harness:
    """A served store. `url(tile)` is the page of a tile."""

    store: Store
    settings: Settings
    person: Person
    port: int = field(default_factory=free_port)
    spoil_token: bool = False

    def start(self) -> "Harness":
        """Serve until `stop`; returns when the port answers."""
        config = uvicorn.Config(self.app(), port=self.port, log_level="warning")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Close the port; requests then fail as they do without a network."""
        self._server.should_exit = True
        self._thread.join(10)

    def url(self, tile: int, person: Person | None = None) -> str:
        """Return the address of the page that shows a tile, as this person or another."""
        name = f"&person={person.name}" if person else ""
        return f"http://127.0.0.1:{self.port}/?tile={tile}{name}"

    def app(self) -> Starlette:
        """Return the page, manifests and our routes as an application."""
        ours = [Route("/", self._page), Route("/manifest/{tile:int}", self._manifest)]
        return Starlette(routes=[*ours, *routes(self.store, self.settings)])

    def _page(self, _request: Request) -> Response:
        return HTMLResponse(PAGE.replace("MAIN", address("editor/main.js")))

    def _manifest(self, request: Request) -> Response:
        tile = catalogue.tile(self.store, request.path_params["tile"])
        name = request.query_params.get("person")
        person = catalogue.ensure_person(self.store, name) if name else self.person
        content = manifest(self.store, tile, person)
        if self.spoil_token:
            content["token"] = "spoiled"  # noqa: S105  # what a token past its time looks like
        return JSONResponse(content)
