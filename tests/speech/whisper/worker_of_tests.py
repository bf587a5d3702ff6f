"""Stands for the process of a larger recogniser: the sound's own bytes say what it does with it."""

from __future__ import annotations

import json
import os
import sys

from agent.speech.whisper.worker import LENGTH


def say(**answer: object) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    if sys.argv[1:] == ["broken"]:
        say(error="the model does not load")
        return
    say(ready=True)
    while header := sys.stdin.buffer.read(LENGTH.size):
        sound = sys.stdin.buffer.read(*LENGTH.unpack(header)).decode()
        if sound == "die":
            os._exit(9)
        if sound == "refuse":
            say(error="too long")
        elif sound == "mumble":
            print("no JSON", flush=True)
        elif sound == "nothing":
            say()
        elif sound == "hang":
            sys.stdin.buffer.read()
        else:
            say(text=sound, confidence=0.75)


if __name__ == "__main__":
    main()
