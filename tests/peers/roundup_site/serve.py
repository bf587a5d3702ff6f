"""Serves a tracker on loopback through Roundup's own WSGI handler: python serve.py PORT TRACKER_HOME.

roundup-server, its other door, refuses to run for root, as which tests in containers often run.
"""

from __future__ import annotations

import sys

import waitress
from roundup.cgi.wsgi_handler import RequestDispatcher

waitress.serve(
    RequestDispatcher(sys.argv[2]),
    host="127.0.0.1",
    port=int(sys.argv[1]),
    url_prefix="/support",
    threads=4,
    ident=None,
)
