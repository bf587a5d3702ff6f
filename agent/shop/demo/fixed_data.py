"""The demo shop's fixed customers, orders and returns, which tests, demo calls and documents rely on.

Days are relative to the day the shop was made for. Phone is the one given at checkout, postcode the delivery address's.

======  ================  ========  =============  ==============  ==================================================
order   status            postcode  phone          customer        what is special
======  ================  ========  =============  ==============  ==================================================
10473   in_transit        60614     202-555-0143   Maria Lopez     expected tomorrow between 9 and 12, now in Chicago
10437   delivered         78701     512-555-0118   James Carter    delivered yesterday, left at the front desk
20518   out_for_delivery  94110     415-555-0161   Grace Kim       two parcels: one delivered yesterday, one today
33944   delayed           02139     617-555-0127   Omar Haddad     by a storm, now expected in three days
60217   held_at_customs   33101     305-555-0172   Lucia Moreno    no expected day
78701   cancelled         97205     503-555-0134   Henry Walsh     before anything was sent
41286   placed            80202     303-555-0109   Nina Patel      this morning; her first order
52719   awaiting_payment  30303     404-555-0155   Samuel Brooks   transfer not yet in
64350   packed            98101     206-555-0188   Emma Olsen      expected in three days
15862   shipped           10011     212-555-0146   David Stern     expected in two days
29074   out_for_delivery  85004     602-555-0113   Rosa Delgado    today between 13 and 17
36190   delivered         19103     215-555-0191   Aisha Grant     "delivered" two days ago with a neighbor
83615   returned          37203     615-555-0120   Peter Novak     goods are back, the money is not; return R-2002
97248   refunded          55401     612-555-0137   Julia Berg      one of two items, refunded four days ago; R-2003
58124   delivered         89101     702-555-0151   Sofia Ramos     five days ago; three items, the candle stays sold
71936   delivered         48226     313-555-0149   Walter Hayes    45 days ago: too late to send it back
47086   delivered         53703     608-555-0163   Ingrid Larsen   nine days ago; its return R-2001 is on its way back
26408   in_transit        92103     619-555-0107   Carmen Reyes    one of three with one phone; expected in two days
39751   delivered         92103     619-555-0107   Carmen Reyes    twelve days ago
85512   packed            92103     619-555-0107   Carmen Reyes    expected in four days
70404   packed            60614     202-555-0196   Alex Trouble    the order system takes ten seconds to find it
70505   packed            60614     202-555-0197   Sam Trouble     the order system answers with an error
70606   delivered         60614     202-555-0198   Kim Trouble     its returns are opened, but never confirmed in time
MF20841 in_transit        97205     503-555-0148   Oscar Lind      for shops whose numbers look like AA-99999
======  ================  ========  =============  ==============  ==================================================

Never used: 10472, and every number that differs from one above in a single digit, so that a wrong number is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.shop.models import CancelReason, OrderStatus

SLOW, BROKEN, SILENT = "70404", "70505", "70606"
"""Orders to try out what callers hear when the order system fails."""
SLOW_SECONDS = 10.0
CANCEL_REASONS: Mapping[str, CancelReason] = {"78701": "stock"}
"""Why the shop cancelled an order."""
UNUSED_ORDER_NUMBERS = frozenset({"10472"})


@dataclass(frozen=True)
class CustomerSpec:
    """A made-up customer."""

    name: str
    phone: str
    """E.164, from the ranges kept for fiction."""
    city: str
    postcode: str
    tier: str
    points: int


@dataclass(frozen=True)
class ParcelSpec:
    """A parcel; days count from today."""

    status: OrderStatus
    place: str | None = None
    expected_in: int | None = None
    delivered_in: int | None = None
    left_at: str | None = None


@dataclass(frozen=True)
class OrderSpec:
    """An order before it has dates; days count from today, negative ones are past."""

    number: str
    person: CustomerSpec
    status: OrderStatus
    placed_in: int
    lines: tuple[tuple[str, int], ...]
    """SKU and quantity."""
    boxes: tuple[ParcelSpec, ...] = ()
    carrier: str | None = None
    place: str | None = None
    expected_in: int | None = None
    expected_window: str | None = None
    delivered_in: int | None = None
    delay_reason: str | None = None
    refunded_lines: int = 0
    """How many of the lines were paid back."""


CATALOGUE: dict[str, tuple[str, int]] = {
    "LMP-014-BRS": ("Brass Desk Lamp", 6450),
    "MUG-002-STN": ("Stoneware Mug", 1400),
    "KTL-110-BLK": ("Electric Kettle", 5990),
    "TSH-221-NVY": ("Cotton T-Shirt", 2200),
    "JCK-305-OLV": ("Rain Jacket", 11900),
    "BTS-410-TAN": ("Leather Boots", 14950),
    "SNK-417-WHT": ("Canvas Sneakers", 6900),
    "SCF-118-GRY": ("Wool Scarf", 3400),
    "BLK-090-CRM": ("Throw Blanket", 4800),
    "HPH-600-BLK": ("Wireless Headphones", 12900),
    "SPK-611-BLU": ("Bluetooth Speaker", 7900),
    "CHG-620-WHT": ("Phone Charger", 2490),
    "BPK-500-GRN": ("Canvas Backpack", 8400),
    "YGM-701-PRP": ("Yoga Mat", 3900),
    "WBT-705-STL": ("Steel Water Bottle", 2750),
    "CDL-050-LVN": ("Lavender Candle", 1850),
    "CFG-120-SLV": ("Coffee Grinder", 4350),
    "CTB-131-OAK": ("Oak Cutting Board", 3650),
    "PAN-140-IRN": ("Cast Iron Pan", 5200),
    "BED-200-WHT": ("Linen Bed Sheet", 9900),
    "PIL-203-WHT": ("Feather Pillow", 4500),
    "NTB-810-RED": ("Paper Notebook", 950),
    "PZL-900-MIX": ("Wooden Puzzle", 2600),
    "TOY-905-BRN": ("Teddy Bear", 2950),
}
"""SKU -> name and price in cents."""

_MARIA = CustomerSpec("Maria Lopez", "+12025550143", "Chicago", "60614", "gold", 1840)
_JAMES = CustomerSpec("James Carter", "+15125550118", "Austin", "78701", "silver", 620)
_GRACE = CustomerSpec("Grace Kim", "+14155550161", "San Francisco", "94110", "gold", 2310)
_OMAR = CustomerSpec("Omar Haddad", "+16175550127", "Cambridge", "02139", "none", 150)
_LUCIA = CustomerSpec("Lucia Moreno", "+13055550172", "Miami", "33101", "silver", 480)
_HENRY = CustomerSpec("Henry Walsh", "+15035550134", "Portland", "97205", "none", 0)
_NINA = CustomerSpec("Nina Patel", "+13035550109", "Denver", "80202", "none", 60)
_SAMUEL = CustomerSpec("Samuel Brooks", "+14045550155", "Atlanta", "30303", "none", 90)
_EMMA = CustomerSpec("Emma Olsen", "+12065550188", "Seattle", "98101", "silver", 710)
_DAVID = CustomerSpec("David Stern", "+12125550146", "New York", "10011", "none", 220)
_ROSA = CustomerSpec("Rosa Delgado", "+16025550113", "Phoenix", "85004", "silver", 530)
_AISHA = CustomerSpec("Aisha Grant", "+12155550191", "Philadelphia", "19103", "gold", 1490)
_PETER = CustomerSpec("Peter Novak", "+16155550120", "Nashville", "37203", "none", 75)
_JULIA = CustomerSpec("Julia Berg", "+16125550137", "Minneapolis", "55401", "silver", 395)

_SOFIA = CustomerSpec("Sofia Ramos", "+17025550151", "Las Vegas", "89101", "gold", 1230)
_WALTER = CustomerSpec("Walter Hayes", "+13135550149", "Detroit", "48226", "none", 110)
_INGRID = CustomerSpec("Ingrid Larsen", "+16085550163", "Madison", "53703", "silver", 440)
_CARMEN = CustomerSpec("Carmen Reyes", "+16195550107", "San Diego", "92103", "none", 270)

_ALEX = CustomerSpec("Alex Trouble", "+12025550196", "Chicago", "60614", "none", 0)
_SAM = CustomerSpec("Sam Trouble", "+12025550197", "Chicago", "60614", "none", 0)
_KIM = CustomerSpec("Kim Trouble", "+12025550198", "Chicago", "60614", "none", 0)
_OSCAR = CustomerSpec("Oscar Lind", "+15035550148", "Portland", "97205", "none", 60)

FIXED_CUSTOMERS: tuple[CustomerSpec, ...] = (
    *(_MARIA, _JAMES, _GRACE, _OMAR, _LUCIA, _HENRY, _NINA),
    *(_SAMUEL, _EMMA, _DAVID, _ROSA, _AISHA, _PETER, _JULIA),
    *(_SOFIA, _WALTER, _INGRID, _CARMEN, _ALEX, _SAM, _KIM, _OSCAR),
)

FIXED_ORDERS: tuple[OrderSpec, ...] = (
    OrderSpec(
        number="10473",
        person=_MARIA,
        status="in_transit",
        placed_in=-4,
        lines=(("LMP-014-BRS", 1), ("MUG-002-STN", 2)),
        boxes=(ParcelSpec("in_transit", "Chicago", expected_in=1),),
        carrier="UPS",
        place="Chicago",
        expected_in=1,
        expected_window="09:00-12:00",
    ),
    OrderSpec(
        number="10437",
        person=_JAMES,
        status="delivered",
        placed_in=-6,
        lines=(("BTS-410-TAN", 1),),
        boxes=(ParcelSpec("delivered", "Austin", expected_in=-1, delivered_in=-1, left_at="front desk"),),
        carrier="FedEx",
        place="Austin",
        expected_in=-1,
        delivered_in=-1,
    ),
    OrderSpec(
        number="20518",
        person=_GRACE,
        status="out_for_delivery",
        placed_in=-5,
        lines=(("KTL-110-BLK", 1), ("CFG-120-SLV", 1), ("CTB-131-OAK", 1)),
        boxes=(
            ParcelSpec("delivered", "San Francisco", expected_in=-1, delivered_in=-1, left_at="front porch"),
            ParcelSpec("out_for_delivery", "San Francisco", expected_in=0),
        ),
        carrier="UPS",
        place="San Francisco",
        expected_in=0,
        expected_window="13:00-17:00",
    ),
    OrderSpec(
        number="33944",
        person=_OMAR,
        status="delayed",
        placed_in=-8,
        lines=(("JCK-305-OLV", 1),),
        boxes=(ParcelSpec("delayed", "Louisville", expected_in=3),),
        carrier="UPS",
        place="Louisville",
        expected_in=3,
        delay_reason="a winter storm at the Louisville hub",
    ),
    OrderSpec(
        number="60217",
        person=_LUCIA,
        status="held_at_customs",
        placed_in=-12,
        lines=(("HPH-600-BLK", 1),),
        boxes=(ParcelSpec("held_at_customs", "Miami"),),
        carrier="DHL",
        place="Miami",
        delay_reason="customs is waiting for the invoice",
    ),
    OrderSpec(number="78701", person=_HENRY, status="cancelled", placed_in=-9, lines=(("SPK-611-BLU", 1),)),
    OrderSpec(
        number="41286",
        person=_NINA,
        status="placed",
        placed_in=0,
        lines=(("YGM-701-PRP", 1), ("WBT-705-STL", 1)),
        expected_in=5,
    ),
    OrderSpec(number="52719", person=_SAMUEL, status="awaiting_payment", placed_in=-2, lines=(("BPK-500-GRN", 1),)),
    OrderSpec(
        number="64350",
        person=_EMMA,
        status="packed",
        placed_in=-1,
        lines=(("BED-200-WHT", 1), ("PIL-203-WHT", 2)),
        carrier="USPS",
        expected_in=3,
    ),
    OrderSpec(
        number="15862",
        person=_DAVID,
        status="shipped",
        placed_in=-2,
        lines=(("SNK-417-WHT", 1),),
        boxes=(ParcelSpec("shipped", "Newark", expected_in=2),),
        carrier="FedEx",
        place="Newark",
        expected_in=2,
    ),
    OrderSpec(
        number="29074",
        person=_ROSA,
        status="out_for_delivery",
        placed_in=-4,
        lines=(("PAN-140-IRN", 1),),
        boxes=(ParcelSpec("out_for_delivery", "Phoenix", expected_in=0),),
        carrier="USPS",
        place="Phoenix",
        expected_in=0,
        expected_window="13:00-17:00",
    ),
    OrderSpec(
        number="36190",
        person=_AISHA,
        status="delivered",
        placed_in=-7,
        lines=(("TOY-905-BRN", 1), ("PZL-900-MIX", 1)),
        boxes=(ParcelSpec("delivered", "Philadelphia", expected_in=-2, delivered_in=-2, left_at="with a neighbor"),),
        carrier="USPS",
        place="Philadelphia",
        expected_in=-2,
        delivered_in=-2,
    ),
    OrderSpec(
        number="83615",
        person=_PETER,
        status="returned",
        placed_in=-24,
        lines=(("TSH-221-NVY", 3),),
        boxes=(ParcelSpec("returned", "Nashville", expected_in=-18, delivered_in=-18, left_at="mailbox"),),
        carrier="USPS",
        place="Nashville",
        delivered_in=-18,
    ),
    OrderSpec(
        number="97248",
        person=_JULIA,
        status="refunded",
        placed_in=-30,
        lines=(("SCF-118-GRY", 1), ("BLK-090-CRM", 1)),
        boxes=(ParcelSpec("delivered", "Minneapolis", expected_in=-25, delivered_in=-25, left_at="front porch"),),
        carrier="FedEx",
        place="Minneapolis",
        delivered_in=-25,
        refunded_lines=1,
    ),
    OrderSpec(
        number="58124",
        person=_SOFIA,
        status="delivered",
        placed_in=-9,
        lines=(("JCK-305-OLV", 1), ("SCF-118-GRY", 1), ("CDL-050-LVN", 2)),
        boxes=(ParcelSpec("delivered", "Las Vegas", expected_in=-5, delivered_in=-5, left_at="side door"),),
        carrier="UPS",
        place="Las Vegas",
        delivered_in=-5,
    ),
    OrderSpec(
        number="71936",
        person=_WALTER,
        status="delivered",
        placed_in=-49,
        lines=(("BTS-410-TAN", 1),),
        boxes=(ParcelSpec("delivered", "Detroit", expected_in=-45, delivered_in=-45, left_at="front porch"),),
        carrier="FedEx",
        place="Detroit",
        delivered_in=-45,
    ),
    OrderSpec(
        number="47086",
        person=_INGRID,
        status="delivered",
        placed_in=-13,
        lines=(("KTL-110-BLK", 1),),
        boxes=(ParcelSpec("delivered", "Madison", expected_in=-9, delivered_in=-9, left_at="mailbox"),),
        carrier="USPS",
        place="Madison",
        delivered_in=-9,
    ),
    OrderSpec(
        number="26408",
        person=_CARMEN,
        status="in_transit",
        placed_in=-3,
        lines=(("SPK-611-BLU", 1),),
        boxes=(ParcelSpec("in_transit", "Oakland", expected_in=2),),
        carrier="UPS",
        place="Oakland",
        expected_in=2,
    ),
    OrderSpec(
        number="39751",
        person=_CARMEN,
        status="delivered",
        placed_in=-16,
        lines=(("HPH-600-BLK", 1),),
        boxes=(ParcelSpec("delivered", "San Diego", expected_in=-12, delivered_in=-12, left_at="parcel locker"),),
        carrier="FedEx",
        place="San Diego",
        delivered_in=-12,
    ),
    OrderSpec(
        number="85512",
        person=_CARMEN,
        status="packed",
        placed_in=-1,
        lines=(("PAN-140-IRN", 1), ("CTB-131-OAK", 1)),
        carrier="USPS",
        expected_in=4,
    ),
    OrderSpec(number=SLOW, person=_ALEX, status="packed", placed_in=-1, lines=(("MUG-002-STN", 1),), expected_in=3),
    OrderSpec(number=BROKEN, person=_SAM, status="packed", placed_in=-1, lines=(("MUG-002-STN", 1),), expected_in=3),
    OrderSpec(
        number=SILENT,
        person=_KIM,
        status="delivered",
        placed_in=-9,
        lines=(("MUG-002-STN", 1),),
        boxes=(ParcelSpec("delivered", "Chicago", expected_in=-5, delivered_in=-5, left_at="mailbox"),),
        carrier="UPS",
        place="Chicago",
        delivered_in=-5,
    ),
    OrderSpec(
        number="MF20841",
        person=_OSCAR,
        status="in_transit",
        placed_in=-3,
        lines=(("LMP-014-BRS", 1),),
        boxes=(ParcelSpec("in_transit", "Seattle", expected_in=2),),
        carrier="UPS",
        place="Seattle",
        expected_in=2,
    ),
)


@dataclass(frozen=True)
class ReturnSpec:
    """A return before it has dates; days count from today."""

    number: int
    order_number: str
    sku: str
    reason: str
    condition: str
    route: str
    refund: str
    state: str
    created_in: int
    updated_in: int


FIXED_RETURNS: tuple[ReturnSpec, ...] = (
    ReturnSpec(2001, "47086", "KTL-110-BLK", "defective", "used", "label", "original", "in_transit", -4, -2),
    ReturnSpec(2002, "83615", "TSH-221-NVY", "wrong_size", "opened", "label", "original", "received", -12, -2),
    ReturnSpec(2003, "97248", "SCF-118-GRY", "changed_mind", "unopened", "store", "original", "refunded", -14, -4),
)

NON_RETURNABLE = frozenset({"CDL-050-LVN", "PIL-203-WHT"})
"""Candles and pillows only come back when something is wrong with them."""

STREET_NAMES: tuple[str, ...] = (
    *("Oak Street", "Maple Avenue", "Pine Street", "Cedar Lane", "Elm Street", "Main Street", "Park Avenue"),
    *("Lake Street", "Hill Road", "River Road", "Spring Street", "Church Street", "School Street", "King Street"),
    *("Queen Street", "Lincoln Avenue", "Washington Street", "Jefferson Avenue", "Madison Street", "Jackson Street"),
    *("Franklin Street", "Sunset Drive", "Garden Street", "Second Avenue", "Third Street", "Market Street"),
    *("Bridge Street", "Station Road", "Union Street", "Center Street", "College Avenue", "Water Street"),
    *("High Street", "Green Lane", "Apple Lane", "Rose Street", "Adams Street", "Wall Street", "Front Street"),
    *("Bay Street", "Beach Road", "Grand Avenue", "Central Avenue", "Victoria Street"),
)
"""Streets of the made-up address directory; the recogniser that ships knows all of these words."""
STREETS_PER_POSTCODE = 10
EXTRA_CITIES: tuple[tuple[str, str], ...] = (
    *(("Chicago", "60601"), ("Chicago", "60622"), ("Austin", "78704"), ("Seattle", "98109"), ("Denver", "80205")),
    *(("New York", "10013"), ("Brooklyn", "11201"), ("Atlanta", "30308"), ("Portland", "97201"), ("Miami", "33130")),
    *(("Phoenix", "85012"), ("Oakland", "94607"), ("San Diego", "92116"), ("Madison", "53711")),
)
"""Where nobody of the fixed people lives, for people who move."""


def is_reserved_number(number: str) -> bool:
    """Say whether a generated order may not have this number: taken, kept free, or one digit beside a fixed one."""
    return number in UNUSED_ORDER_NUMBERS or any(
        sum(left != right for left, right in zip(number, plan.number, strict=False)) <= 1 for plan in FIXED_ORDERS
    )
