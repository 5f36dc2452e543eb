"""Our own parts of a page as Streamlit components, each a folder of plain ES modules.

The modules are served by a route below `/assets`, so that they keep ordinary imports between files;
the inline script that Streamlit wants only imports the first of them.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st


@cache
def version(folder: Path) -> str:
    """Return a short name of the files in a folder; it changes when any of them does."""
    digest = hashlib.sha256()
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def component(name: str, folder: Path) -> Any:  # noqa: ANN401  # Streamlit keeps its type to itself
    """Return what mounts `main.js` of a folder that is served as `/assets/NAME`."""
    main = f"/assets/{name}/main.js?v={version(folder)}"
    return st.components.v2.component(
        f"cloudbrush_{name}",
        js=f"""let loaded;
        export default (args) => {{
            loaded ??= import(`${{location.origin}}{main}`);
            let unmount = null, gone = false;
            loaded.then((module) => {{ if (!gone) unmount = module.default(args); }});
            return () => {{ gone = true; unmount?.(); }};
        }}""",
    )
