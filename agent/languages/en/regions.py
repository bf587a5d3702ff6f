"""The codes at the end of a place: which US state or which country is meant, when that can be told. Pure.

Half of the states share their two letters with a country: ``DE`` is Delaware and Germany, ``CA`` California and Canada.
Then the postcode, ``US`` behind the code, or the city decides; where none of them does, neither name is said.
"""

from __future__ import annotations

import unicodedata

_STATE_NAMES = (
    "AL=Alabama AK=Alaska AZ=Arizona AR=Arkansas CA=California CO=Colorado CT=Connecticut DE=Delaware FL=Florida"
    " GA=Georgia HI=Hawaii ID=Idaho IL=Illinois IN=Indiana IA=Iowa KS=Kansas KY=Kentucky LA=Louisiana ME=Maine"
    " MD=Maryland MA=Massachusetts MI=Michigan MN=Minnesota MS=Mississippi MO=Missouri MT=Montana NE=Nebraska"
    " NV=Nevada NH=New_Hampshire NJ=New_Jersey NM=New_Mexico NY=New_York NC=North_Carolina ND=North_Dakota OH=Ohio"
    " OK=Oklahoma OR=Oregon PA=Pennsylvania RI=Rhode_Island SC=South_Carolina SD=South_Dakota TN=Tennessee TX=Texas"
    " UT=Utah VT=Vermont VA=Virginia WA=Washington WV=West_Virginia WI=Wisconsin WY=Wyoming"
)
_COUNTRY_NAMES = (
    "AE=United_Arab_Emirates AL=Albania AR=Argentina AT=Austria AU=Australia AZ=Azerbaijan BA=Bosnia BD=Bangladesh"
    " BE=Belgium BG=Bulgaria BH=Bahrain BO=Bolivia BR=Brazil BY=Belarus CA=Canada CH=Switzerland CL=Chile CN=China"
    " CO=Colombia CR=Costa_Rica CY=Cyprus CZ=Czechia DE=Germany DK=Denmark DO=Dominican_Republic DZ=Algeria EC=Ecuador"
    " EE=Estonia EG=Egypt ES=Spain FI=Finland FR=France GA=Gabon GB=United_Kingdom GE=Georgia GR=Greece GT=Guatemala"
    " HK=Hong_Kong HN=Honduras HR=Croatia HU=Hungary ID=Indonesia IE=Ireland IL=Israel IN=India IQ=Iraq IS=Iceland"
    " IT=Italy JM=Jamaica JO=Jordan JP=Japan KE=Kenya KH=Cambodia KR=South_Korea KW=Kuwait KY=Cayman_Islands"
    " KZ=Kazakhstan LA=Laos LB=Lebanon LI=Liechtenstein LK=Sri_Lanka LT=Lithuania LU=Luxembourg LV=Latvia MA=Morocco"
    " MC=Monaco MD=Moldova ME=Montenegro MK=North_Macedonia MN=Mongolia MO=Macao MS=Montserrat MT=Malta MX=Mexico"
    " MY=Malaysia NC=New_Caledonia NE=Niger NG=Nigeria NI=Nicaragua NL=Netherlands NO=Norway NZ=New_Zealand OM=Oman"
    " PA=Panama PE=Peru PH=Philippines PK=Pakistan PL=Poland PR=Puerto_Rico PT=Portugal PY=Paraguay QA=Qatar RO=Romania"
    " RS=Serbia SA=Saudi_Arabia SC=Seychelles SD=Sudan SE=Sweden SG=Singapore SI=Slovenia SK=Slovakia SV=El_Salvador"
    " TH=Thailand TN=Tunisia TR=Turkey TW=Taiwan UA=Ukraine UK=United_Kingdom UY=Uruguay VA=Vatican VE=Venezuela"
    " VN=Vietnam ZA=South_Africa"
)
_OTHER_STATE_CODES = frozenset(("DC", "VI", "GU"))
_ZIP_STARTS = (
    "AL=350-369 AR=716-729 AZ=850-865 CA=900-961 CO=800-816 DE=197-199 GA=300-319,398-399 ID=832-838 IL=600-629"
    " IN=460-479 KY=400-427 LA=700-714 MA=010-027 MD=206-219 ME=039-049 MN=550-567 MO=630-658 MS=386-397 MT=590-599"
    " NC=270-289 NE=680-693 PA=150-196 SC=290-299 SD=570-577 TN=370-385 VA=201-201,220-246"
)
"""First three digits of the ZIP codes of the states that share their letters with a country (USPS publication 65)."""
_STATE_CITIES = (
    "AL=Birmingham,Huntsville,Mobile,Montgomery AR=Little Rock,Fayetteville,Fort Smith AZ=Phoenix,Tucson,Mesa,Tempe"
    " CA=Los Angeles,San Diego,San Jose,San Francisco,Fresno,Sacramento,Oakland,Long Beach,Ontario,Anaheim,Riverside"
    " CO=Denver,Colorado Springs,Aurora,Boulder,Fort Collins DE=Wilmington,Dover,Newark,New Castle,Middletown,Smyrna"
    " GA=Atlanta,Savannah,Augusta,Macon ID=Boise,Nampa,Idaho Falls IL=Chicago,Rockford,Aurora,Naperville,Peoria,Joliet"
    " IN=Indianapolis,Gary,Fort Wayne,South Bend,Evansville KY=Louisville,Lexington,Hebron LA=New Orleans,Baton Rouge,"
    "Shreveport MA=Boston,Worcester,Springfield,Cambridge MD=Baltimore,Rockville,Frederick,Columbia,Annapolis"
    " ME=Portland,Bangor,Augusta MN=Minneapolis,Saint Paul,St Paul,Rochester MO=Saint Louis,St Louis,Kansas City,"
    "Springfield,Columbia MS=Jackson,Gulfport,Biloxi,Olive Branch MT=Billings,Missoula,Bozeman,Helena NC=Charlotte,"
    "Raleigh,Greensboro,Durham,Winston-Salem,Asheville NE=Omaha,Lincoln PA=Philadelphia,Pittsburgh,Allentown,Erie,"
    "Scranton SC=Columbia,Charleston,Greenville,Spartanburg SD=Sioux Falls,Rapid City TN=Memphis,Nashville,Knoxville,"
    "Chattanooga VA=Richmond,Virginia Beach,Norfolk,Arlington,Alexandria,Roanoke"
)
_COUNTRY_CITIES = (
    "AL=Tirana,Durres AR=Buenos Aires,Cordoba,Rosario AZ=Baku CA=Toronto,Montreal,Vancouver,Calgary,Mississauga,"
    "Ottawa,Edmonton,Winnipeg,Quebec,Hamilton,Halifax,Brampton CO=Bogota,Medellin,Cali,Barranquilla,Cartagena"
    " DE=Leipzig,Berlin,Hamburg,Munich,Munchen,Muenchen,Cologne,Koln,Koeln,Frankfurt,Frankfurt am Main,Stuttgart,"
    "Dusseldorf,Duesseldorf,Dortmund,Essen,Dresden,Hannover,Nuremberg,Nurnberg,Nuernberg,Duisburg,Bochum,Bonn,Munster,"
    "Mannheim,Karlsruhe,Augsburg,Kassel,Halle,Erfurt,Mainz,Rostock,Kiel,Magdeburg,Braunschweig,Chemnitz,Aachen,"
    "Potsdam,Ulm,Regensburg,Wurzburg,Wuerzburg,Heidelberg,Saarbrucken,Feucht,Koblenz GA=Libreville ID=Jakarta,Surabaya,"
    "Bandung,Denpasar IL=Tel Aviv,Tel Aviv-Yafo,Jerusalem,Haifa,Ashdod,Lod IN=Mumbai,Delhi,New Delhi,Bangalore,"
    "Bengaluru,Chennai,Hyderabad,Kolkata,Pune,Gurgaon KY=George Town LA=Vientiane MA=Casablanca,Rabat,Fes,"
    "Marrakech,Marrakesh,Tangier MD=Chisinau ME=Podgorica MN=Ulaanbaatar,Ulan Bator MO=Macau,Macao MS=Brades"
    " MT=Valletta,Luqa,Birkirkara NC=Noumea NE=Niamey PA=Panama,Panama City,Colon SC=Mahe SD=Khartoum TN=Tunis,Sfax"
    " VA=Vatican City"
)


def _pairs(text: str) -> dict[str, str]:
    """Read ``AB=...`` up to the next code."""
    found: dict[str, str] = {}
    code = ""
    for word in text.split(" "):
        if len(word) > 2 and word[2] == "=" and word[:2].isupper():
            code, word = word[:2], word[3:]
            found[code] = word
        elif word:
            found[code] += f" {word}"
    return found


def _cities(text: str) -> dict[str, frozenset[str]]:
    return {code: frozenset(_plain(city) for city in cities.split(",")) for code, cities in _pairs(text).items()}


def _plain(city: str) -> str:
    folded = unicodedata.normalize("NFKD", city)
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).casefold().split()).strip(" .")


_STATES = {code: name.replace("_", " ") for code, name in _pairs(_STATE_NAMES).items()}
_COUNTRIES = {code: name.replace("_", " ") for code, name in _pairs(_COUNTRY_NAMES).items()}
_ZIPS = {
    code: tuple((int(low), int(high)) for low, _, high in (span.partition("-") for span in spans.split(",")))
    for code, spans in _pairs(_ZIP_STARTS).items()
}
_CITIES_OF_STATES, _CITIES_OF_COUNTRIES = _cities(_STATE_CITIES), _cities(_COUNTRY_CITIES)


def is_code(word: str) -> bool:
    """Return whether a word is the code of a state or a country."""
    return word in _STATES or word in _COUNTRIES or word in _OTHER_STATE_CODES


def region_name(code: str, city: str, postcode: str, *, in_us: bool) -> str:
    """Return the state's or the country's name, ``""`` when it cannot be told which is meant.

    ``postcode`` is what stands beside the code, ``""`` for none; ``in_us`` says that ``US`` stood behind it.
    """
    state, country = _STATES.get(code), _COUNTRIES.get(code)
    if in_us or country is None or state is None:
        return state or ("" if in_us else country or "")
    digits = postcode.partition("-")[0]
    if digits:
        is_zip = len(digits) == 5 and any(low <= int(digits[:3]) <= high for low, high in _ZIPS[code])
        return state if is_zip else country
    known = _plain(city)
    if known in _CITIES_OF_STATES[code]:
        return state
    return country if known in _CITIES_OF_COUNTRIES.get(code, ()) else ""
