"""The pages of the builder, and who may see them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BuilderPage:
    """One page of the builder."""

    name: str
    title: str
    lead: str
    right: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/builder/{self.name}"


BUILDER_PAGES = (
    BuilderPage("answers", "Answers", "What the agent knows without asking a system.", "answers"),
    BuilderPage("promotions", "Promotions", "Offers and codes, with their days and rules.", "promotions"),
    BuilderPage("prompts", "Prompts", "What is said in more than one place, or by the agent itself.", "edit"),
    BuilderPage("questions", "Questions", "What is asked, and what is said when no answer comes.", "edit"),
    BuilderPage("phrases", "Phrases", "What callers say, and what it is taken for.", "edit"),
    BuilderPage("hours", "Opening hours", "What callers are told, beside the hours at which staff answer.", "edit"),
    BuilderPage("editions", "Editions", "What was published; each can be compared and brought back.", "procedures"),
)


def first_page(may: Callable[[str], bool]) -> BuilderPage:
    """Return the first page that somebody may see; the first of all where there is none."""
    return next((one for one in BUILDER_PAGES if may(one.right)), BUILDER_PAGES[0])
