"""A small pack with a procedure that asks, calls a service and fails, for tests of the builder."""

from __future__ import annotations

from tests.dialog.pack.small_pack import small_pack_files

FLOWS = """
flows:
  main:
    description: to begin with
    steps:
      - collect: what
  buy:
    description: to buy fruit
    triggers: [i want fruit, buy fruit]
    steps:
      - collect: fruit
      - id: buying
        call: shop.buy
        with: {name: fruit}
        save: {basket: result.basket}
        filler: One moment.
        failed: {sold_out: gone, otherwise: person}
      - say: There you are.
        next: end
      - id: gone
        say: We have none left.
        next: end
      - id: person
        handover: shop_down
"""
TESTS = """
answers:
  one_apple: {basket: apple}
calls:
  - call: a caller buys an apple
    lines:
      - user: i want fruit
        agent: Which fruit
      - user: an apple
      - effect: {shop.buy: one_apple}
        agent: There you are
  - call: a caller finds nothing
    lines:
      - user: i want fruit
      - user: a pear
      - effect: {shop.buy: sold_out}
        agent: none left
"""


def fruit_files(flows: str = FLOWS) -> dict[str, str]:
    return small_pack_files(flows)


def edited(files: dict[str, str], old: str, new: str, name: str = "flows.yaml") -> dict[str, str]:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}
