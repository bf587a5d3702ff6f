"""English words around a number: "my order number is", "let me see", "i think"."""

from __future__ import annotations

from agent.languages.carrier_words import CarrierWords, phrase_index

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "yesterday")
_ANYWHERE = """
thank you very much|thank you so much|thank you|thanks very much|thanks a lot|many thanks|if that helps|for me|for you
that's it|that is it|that's all|that's everything|that's the number|that's the one|that's the lot|that's correct
that's right|of course|no problem|you know|i repeat|once more|one more time|as i said|full stop|number sign|pound sign
hash sign|plus sign|all one word|in capitals|all caps|let me see|let's see|let me check|let me think|let me look
let me get it|just a second|just a moment|just a sec|a second|a moment|a sec|one moment|one second|one sec|one minute
just one second|just one moment|just one minute|give me a second|give me a moment|give me a sec|give me one second
bear with me|here it is|here you go|here we go|here we are|here goes|i have it here|got it|found it|oh yeah|oh okay
country code|area code|the area code is|and the number is|good morning|good afternoon|good evening|did you get that
did you catch that|have you got that|is the order number|is my order number|is the number|that's my cell
that's my mobile|that's my number|mate|love|dear|let me repeat|let me repeat that
have you got it|can you find it|all right|let me read it to you|let me read it out|i'll read it out|to reach me
"""
_BEFORE = """
that would be|that will be|that'll be|it would be|it'll be|it will be|it should be|it says here|it says|email says
the email says|receipt says|confirmation says|letter says|says|on the email|on the receipt|on the confirmation
on the letter|i've got|i have|we have|we've got|i got|i've got it here|the one i have is|the one i've got is
this one is|that one is|the one is|this is|mine is|order i placed|order i made|i placed|i'm calling about
i'm calling for|calling about|i'm ringing about|it's about|about|regarding|where is|where's|could you check
can you check|please check|check|could you look up|can you look up|look up|you can reach me at|you can reach me on
you can call me at|reach me at|call me at|call me on|phone|cell|mobile|mobile's|telephone|cell phone|mobile phone
zip code's|zip code|zip|postal code|postcode|postcode's|post code|code is|confirmation number|confirmation
reference number|reference|it starts with|starts with|it begins with|begins with|whole thing is|whole number is
change it to|i'd like to give you|it reads|i see|the first part is|first part is|what i have is|i can see
i wrote down|i've written|but
"""
_LEAD_TEXT = """
our confirmation reference tracking phone home work cell mobile telephone contact zip code postal postcode i was
were given told sent had have got found will would should be at on in from with of email mail receipt letter invoice
website says said reads can could you use reach call try ready are hear thing certainly absolutely definitely course
text this we they best alrighty ooh gonna going under gave what for to today but because its itself im
"""
_ORDINALS = frozenset({"first", "second", "third", "fourth", "fifth", "last", "final", "middle", "other"})
_AFTER = """
last one is|last digit is|last two are|last two digits are|rest is|the rest is|the other part is|whole thing is
whole number is
"""
_LETTERS = "capital|uppercase|upper case|lowercase|lower case|letters|letter|the letters are|letters are|in caps"
_HEDGES = """
i think|i believe|i guess|i hope|i suppose|i'm not sure|i am not sure|not sure|not certain|could be|might be|may be
maybe|perhaps|probably|possibly|something like|or so|roughly|i think so|if i remember right|it looks like|looks like
think|believe|hopefully|i'm not certain|but i'm not certain|but i'm not sure|is that right|is that correct|pretty sure
i'm pretty sure
"""
_INSIDE = frozenset({"um", "uh", "er", "erm", "hmm", "mm", "ah", "eh", "and", "then", "dash", "so", "digit", "digits"})

CARRIERS = CarrierWords(
    anywhere=phrase_index(_ANYWHERE, "|".join(f"on {day}|last {day}|{day}" for day in _DAYS)),
    leading=phrase_index(_BEFORE),
    following=phrase_index(_AFTER),
    lettered=phrase_index(_LETTERS),
    hedges=phrase_index(_HEDGES),
    lead_words=frozenset(_LEAD_TEXT.split()),
    letter_leads=frozenset({"i"}),
    example_leads=frozenset({"i", "for", "to", "in"}),
    possessive="'s",
    ordinals=_ORDINALS,
    unknown_rest=frozenset({"something", "dunno"}),
    exclamations=frozenset({"oh", "o"}),
    inside=_INSIDE,
    negation="not",
    denials=(("instead", "of"), ("rather", "than")),
    meant=frozenset({"but", "it's", "that's"}),
    no_denials=frozenset({"right", "sure", "certain", "correct"}),
)
