"""The headers of every answer: what a browser may load, run, show elsewhere and keep."""

from __future__ import annotations

from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing from elsewhere, nothing inline."""
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""No script may make HTML of a text."""
_ALWAYS = {
    "Content-Security-Policy": POLICY + TRUSTED_TYPES,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "orderline",
}
STATIC_PREFIX = "/static/"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add them as an answer begins: a signal of the application, so that errors have them as well."""
    response.headers.update(_ALWAYS)
    if not request.path.startswith(STATIC_PREFIX):
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.query and response.status == 200:  # names its content
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
