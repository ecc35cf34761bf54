"""The pages: one WebSocket of state down and commands up, HLS for the hall.

To add a page: 1. write `static/NAME.js`, which ends in `show(NamePage)` of `parts.js`, and `static/NAME.css`; 2. add
one line to `PAGES` in `_pages.py`; 3. run `scripts/translate` for its words. A new command needs nothing here: its
name goes to `House.command` as it came.
"""

from studio.web._cupboard import Cupboard
from studio.web._house import House, Outcome
from studio.web._serve import serve, serve_films, serve_vocal
from studio.web._socket import Limits
from studio.web._studio import Studio

__all__ = ["Cupboard", "House", "Limits", "Outcome", "Studio", "serve", "serve_films", "serve_vocal"]
