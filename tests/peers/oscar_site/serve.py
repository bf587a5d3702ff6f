"""Serves the shop on loopback: ``python serve.py PORT``."""

from __future__ import annotations

import sys

import waitress
from django.core.wsgi import get_wsgi_application

waitress.serve(get_wsgi_application(), host="127.0.0.1", port=int(sys.argv[1]), threads=4, ident=None)
