"""What is said in the calls of :mod:`agent.rehearsal.year_of_calls`: made up for it, by procedure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

GREETING = "Thanks for calling Maple and Finch. How can I help?"


@dataclass(frozen=True)
class Exchange:
    """A question or an answer of the agent, and what callers say to it."""

    flow: str
    step: str
    agent: str
    hears: tuple[str, ...]
    understood: str = ""
    slot: str = ""

    def says(self, values: Mapping[str, str]) -> str:
        """Return the agent's words; ``{order}`` and ``{day}`` stand for what differs."""
        return self.agent.format(**values)


@dataclass(frozen=True)
class Talk:
    """One kind of call."""

    flow: str
    share: float
    """Of all calls."""
    openings: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    hand_over_rate: float
    reasons: tuple[str, ...]
    verifies: bool = True
    operations: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Operation, the fact of it that is kept, the values it may have."""


_NUMBER = Exchange(
    "identify",
    "number",
    "What's the order number?",
    ("one oh four three seven", "it's two two one nine five", "ten four seventy three", "um nine double oh one six"),
    "order_number={order}",
    "order_number",
)
_POSTCODE = Exchange(
    "identify",
    "postcode",
    "Order {order}. And what's the postcode on it?",
    ("[postcode]",),
    "postcode=[postcode]",
    "postcode",
)
_MORE = Exchange(
    "anything_else",
    "more",
    "Anything else I can help with?",
    ("no thank you", "no that's all", "nope", "no thanks bye", "that was it thank you very much"),
    "another=nothing",
    "another",
)
_IDENTIFY = (_NUMBER, _POSTCODE)
_VERIFY = ("orders.verify", "status", ("delivered", "shipped", "delayed", "processing", "at_customs"))

TALKS = (
    Talk(
        "order_status",
        0.46,
        (
            "track my order",
            "where is my parcel",
            "i want to know when my order arrives",
            "my package is late",
            "it says delivered but nothing came",
            "has my order shipped yet",
            "order status please",
        ),
        (
            *_IDENTIFY,
            Exchange(
                "order_status",
                "tell",
                "Your order left our warehouse and should be with you {day}.",
                ("", "okay", "great", "oh good"),
            ),
            _MORE,
        ),
        0.08,
        ("caller_request", "verification_failed", "not_found"),
        operations=(_VERIFY,),
    ),
    Talk(
        "returns",
        0.17,
        (
            "i want to return something",
            "i need to send this back",
            "the jacket is too small",
            "can i exchange a kettle",
            "it came broken and i want my money back",
        ),
        (
            *_IDENTIFY,
            Exchange(
                "returns",
                "item",
                "Which item is it about?",
                ("the kettle", "the blue jacket", "the lamp", "all of it"),
                "return_item=item",
                "return_item",
            ),
            Exchange(
                "returns",
                "reason",
                "What's the reason?",
                ("too small", "it's broken", "changed my mind", "wrong colour"),
                "return_reason=too_small",
                "return_reason",
            ),
            Exchange(
                "returns",
                "sure",
                "Shall I set up the return now?",
                ("yes please", "yes", "go ahead"),
                "return_sure=yes",
                "return_sure",
            ),
            Exchange(
                "returns",
                "done",
                "Your return is set up. The label is on its way to you by text message.",
                ("", "thanks"),
            ),
            _MORE,
        ),
        0.14,
        ("caller_request", "return_refused", "verification_failed"),
        operations=(_VERIFY, ("returns.create", "reason", ("too_small", "defect", "changed_mind", "wrong_item"))),
    ),
    Talk(
        "refund_status",
        0.1,
        ("where is my refund", "i haven't got my money back", "when do i get the refund", "refund status"),
        (
            *_IDENTIFY,
            Exchange(
                "refund_status",
                "tell",
                "Your refund was sent {day} and takes three to five working days.",
                ("", "okay thank you"),
            ),
            _MORE,
        ),
        0.16,
        ("caller_request", "money_back", "verification_failed"),
        operations=(_VERIFY, ("refunds.find", "status", ("sent", "pending", "none"))),
    ),
    Talk(
        "promotions",
        0.08,
        (
            "do you have any offers",
            "my discount code does not work",
            "what is on sale",
            "is there a promotion this week",
        ),
        (
            Exchange(
                "promotions",
                "tell",
                "This week there is twenty percent off kitchenware with the code on our front page.",
                ("", "nice", "does that work for kettles"),
            ),
            _MORE,
        ),
        0.05,
        ("caller_request", "code_trouble"),
        verifies=False,
        operations=(("promotions.find", "promotion", ("kitchen20", "freeship", "spring")),),
    ),
    Talk(
        "questions",
        0.1,
        (
            "what are your opening hours",
            "how long can i return things",
            "do you ship to canada",
            "how do i pay by card",
        ),
        (
            Exchange(
                "questions",
                "answer",
                "You can send things back within thirty days of delivery.",
                ("", "alright", "good to know"),
            ),
            _MORE,
        ),
        0.06,
        ("caller_request", "no_answer"),
        verifies=False,
    ),
    Talk(
        "address_change",
        0.05,
        (
            "i need to change my address",
            "i moved house",
            "can you deliver to another place",
            "wrong street on my order",
        ),
        (
            *_IDENTIFY,
            Exchange(
                "address_change",
                "street",
                "What's the new street?",
                ("maple avenue", "it's oak street", "seventh street"),
                "street=street",
                "street",
            ),
            Exchange(
                "address_change",
                "sure",
                "Shall I change it?",
                ("yes", "yes please do"),
                "address_sure=yes",
                "address_sure",
            ),
            _MORE,
        ),
        0.2,
        ("caller_request", "address_refused"),
        operations=(_VERIFY, ("shipments.change_address", "", ())),
    ),
    Talk(
        "complaint",
        0.04,
        (
            "i want to complain",
            "this is the third time i call",
            "your driver threw my parcel over the fence",
            "let me speak to a manager",
        ),
        (
            Exchange(
                "complaint",
                "words",
                "I'm sorry to hear that. Tell me in a few words what happened.",
                ("nobody calls me back", "it was late again and the box was wet", "i paid twice for one order"),
            ),
        ),
        0.95,
        ("complaint", "caller_request"),
        verifies=False,
    ),
)
WEIGHTS = tuple(itertools.accumulate(talk.share for talk in TALKS))
UNCLEAR = (
    "well it is about the thing i got",
    "the blue one",
    "hang on a second",
    "my husband has that",
    "I don't have 2 of them",
    "sorry what was that",
    "is this a recording",
)
"""Answers that no question takes."""

FAULTS = (
    "the recogniser did not answer within 3 s",
    "TimeoutError: orders did not answer",
    "controller restarted",
    "the agent was stopped in the middle of this call",
    "the media connection was closed by Asterisk (code 1006)",
)
