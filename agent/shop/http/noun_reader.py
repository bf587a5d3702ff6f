"""Reads a checked noun from an answer and keeps what was odd in it: a field that does not fit counts as not known."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.shop.http.fields import FieldError, FieldReader, OddField, keys_of
from agent.shop.http.mapping import FieldSpec
from agent.shop.http.odd_variants import VariantsTried, odd_variants
from agent.shop.http.operations import OPERATIONS
from agent.shop.http.response_models import ResponseModel, build_leniently

log = logging.getLogger(__name__)

_INDEX = re.compile(r"\[\d+\]")


class NounReader:
    """Reads the nouns of one system's answers."""

    def __init__(self, system: str, reader: FieldReader, zone: dt.tzinfo) -> None:
        """``system`` is its name, for the log; days are told in ``zone``."""
        self._system = system
        self._reader = reader
        self._zone = zone
        self.odd_fields: dict[tuple[str, str], str] = {}
        """(operation, field) -> what did not fit, of everything that has been read so far."""

    def noun(
        self, name: str, fields: Mapping[str, FieldSpec], document: Any, context: Mapping[str, Any]
    ) -> ResponseModel:
        """Return the noun; each odd field is logged once, without its value.

        Raises FieldError for a field that the noun cannot be without.
        """
        noun, odd = self._read(name, fields, document, context)
        for one in odd:
            at = (name, _INDEX.sub("[]", one.field))
            if at not in self.odd_fields:
                self.odd_fields[at] = one.message
                log.warning("%s: %s: field %s: %s", self._system, name, one.field, one.message)
        return noun

    def try_odd_variants(
        self, name: str, fields: Mapping[str, FieldSpec], document: Any, context: Mapping[str, Any]
    ) -> VariantsTried:
        """Read odd variants of an answer, and say which fields it could not be used without."""
        count, unreadable = 0, dict[str, str]()
        for variant in odd_variants(document):
            count += 1
            try:
                self._read(name, fields, variant, {**context, "item": variant})
            except FieldError as trouble:
                unreadable.setdefault(trouble.field, trouble.message.partition(" (path")[0])
        return VariantsTried(count, unreadable)

    def _read(
        self, name: str, fields: Mapping[str, FieldSpec], document: Any, context: Mapping[str, Any]
    ) -> tuple[ResponseModel, Sequence[OddField]]:
        model = OPERATIONS[name].noun
        odd: list[OddField] = []
        raw = self._reader.read_all(fields, document, context, odd=odd)
        required = {field for field, info in model.model_fields.items() if info.is_required()}
        for one in odd:
            if one.field in required:
                raise FieldError(one.field, one.message)

        def explain(field: str) -> str:
            spec = fields.get(field)
            if spec is None or spec.path is None:
                return ""
            return f" (path {spec.path!r}; {keys_of(document)})"

        noun: ResponseModel
        noun, dropped = build_leniently(model, raw, self._zone, explain)
        return noun, (*odd, *dropped)
