"""The one way in which telephone numbers are brought to one form and compared, whoever wrote or keyed them. Pure."""

from __future__ import annotations

import phonenumbers

from agent.common.constant_time import same_secret

_EXIT_CODE = "00"
"""What most of the world dials before a country code, and what trunks deliver in place of a "+"."""
_FORMAT = phonenumbers.PhoneNumberFormat
_TYPE = phonenumbers.PhoneNumberType
_ORDINARY = frozenset({_TYPE.FIXED_LINE, _TYPE.MOBILE, _TYPE.FIXED_LINE_OR_MOBILE, _TYPE.VOIP})


def e164(text: str, region: str = "US") -> str:
    """Return the number in E.164 (``+12025550143``), or ``""`` when it cannot be a phone number.

    ``region`` is the ISO 3166 country whose national form is understood besides the international one (``+``, ``00``).
    Possible numbers suffice: fictional ones are possible, not valid.
    """
    parsed = _parsed(text, region)
    return "" if parsed is None else phonenumbers.format_number(parsed, _FORMAT.E164)


def same_phone(given: str, known: str, region: str = "US") -> bool:
    """Compare two phone numbers in one form, in time that does not tell where they differ; empty equals nothing."""
    return same_secret(e164(given, region), e164(known, region))


def country_of(number: str) -> str:
    """Return the ISO 3166 country of a number in E.164, ``""`` for one that is none or belongs to no country."""
    parsed = _parsed(number, "")
    return "" if parsed is None else phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def is_ordinary(number: str, region: str = "US") -> bool:
    """Return whether a number is a telephone of a country's own: none abroad, and none that costs extra to call."""
    parsed = _parsed(number, region)
    if parsed is None or phonenumbers.region_code_for_number(parsed) != region:
        return False
    return phonenumbers.number_type(parsed) in _ORDINARY


def keyed_forms(number: str, region: str = "US") -> tuple[str, ...]:
    """Return the digits by which a number may be keyed: as it was delivered, as at home, with its country code.

    ``+12025550143`` is keyed as 12025550143, 2025550143 or 0012025550143. What is no phone number (an extension) has
    its own digits alone; what has no digits has none.
    """
    forms = [_digits(number)]
    parsed = _parsed(number, region)
    if parsed is not None:
        whole = _digits(phonenumbers.format_number(parsed, _FORMAT.E164))
        at_home = _digits(phonenumbers.format_number(parsed, _FORMAT.NATIONAL))
        abroad = _digits(phonenumbers.format_out_of_country_calling_number(parsed, region))
        forms += [whole, at_home, phonenumbers.national_significant_number(parsed), abroad, _EXIT_CODE + whole]
    return tuple(dict.fromkeys(form for form in forms if form))


def is_keyed(keyed: str, number: str, region: str = "US") -> bool:
    """Return whether somebody who keyed these digits means this number."""
    digits = _digits(keyed)
    return bool(digits) and (digits in keyed_forms(number, region) or same_phone(digits, number, region))


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    written = text.strip()
    for form in (written, f"+{written[len(_EXIT_CODE) :]}" if written.startswith(_EXIT_CODE) else ""):
        try:
            parsed = phonenumbers.parse(form, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return parsed
    return None


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")
