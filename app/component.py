"""Our own parts of a page as Streamlit components, each a folder of plain ES modules.

The modules are served by a route below `/assets`, so that they keep ordinary imports between files;
the inline script that Streamlit wants only imports the first of them.
"""

from functools import cache
from typing import Any

import streamlit as st

from app.routes.assets import address


@cache
def component(name: str) -> Any:  # noqa: ANN401  # Streamlit keeps its type to itself
    """Return what mounts `main.js` of a folder that is served as `/assets/NAME`."""
    return st.components.v2.component(
        f"cloudbrush_{name}",
        js=f"""let loaded;
        export default (args) => {{
            loaded ??= import(`${{location.origin}}{address(name + "/main.js")}`);
            let unmount = null, gone = false;
            loaded.then((module) => {{ if (!gone) unmount = module.default(args); }});
            return () => {{ gone = true; unmount?.(); }};
        }}""",
    )
