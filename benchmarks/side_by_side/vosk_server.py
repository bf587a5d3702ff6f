"""A recognition server with the websocket protocol of vosk-server, written anew for this comparison.

As there: an optional ``{"config": {"phrase_list": [...], "sample_rate": 8000}}`` before the first audio, then audio as
binary messages of any length. Each is answered with one JSON text, ``{"partial": ...}``, or ``{"text": ..., "result":
[...]}`` when Vosk's own endpointing has found the end of an utterance; ``{"eof": 1}`` asks for what is left.
Decoding runs in as many threads as the machine has cores, as there.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import json
import os
import sys
from functools import partial
from typing import Any

import vosk
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SAMPLE_RATE = 8000.0


def recognizer(model: Any, phrases: list[str] | None, sample_rate: float) -> Any:
    """Return a recogniser: of a list of phrases, or of the model's whole vocabulary."""
    if phrases:
        made = vosk.KaldiRecognizer(model, sample_rate, json.dumps(phrases, ensure_ascii=False))
    else:
        made = vosk.KaldiRecognizer(model, sample_rate)
    made.SetWords(True)
    return made


def decode(recognizer: Any, audio: bytes) -> str:
    """Return the server's answer to one message of audio."""
    answer = recognizer.Result() if recognizer.AcceptWaveform(audio) else recognizer.PartialResult()
    return str(answer)


async def recognise(model: Any, pool: concurrent.futures.Executor, socket: ServerConnection) -> None:
    """Serve one connection to its end."""
    loop = asyncio.get_running_loop()
    phrases: list[str] | None = None
    sample_rate = SAMPLE_RATE
    made: Any = None
    with contextlib.suppress(ConnectionClosed):
        async for message in socket:
            if isinstance(message, str):
                wanted = json.loads(message)
                if "config" in wanted:
                    phrases = wanted["config"].get("phrase_list", phrases)
                    sample_rate = float(wanted["config"].get("sample_rate", sample_rate))
                elif "eof" in wanted:
                    await socket.send(str(made.FinalResult()) if made is not None else '{"text": ""}')
                    return
                continue
            if made is None:
                made = await loop.run_in_executor(pool, recognizer, model, phrases, sample_rate)
            await socket.send(await loop.run_in_executor(pool, decode, made, message))


async def run(model_dir: str) -> None:
    """Serve on a free port of loopback until cancelled; the port is told on standard output."""
    vosk.SetLogLevel(-1)
    model = await asyncio.to_thread(vosk.Model, model_dir)
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1)
    async with serve(partial(recognise, model, pool), "127.0.0.1", 0) as server:
        print(json.dumps({"ready": True, "port": server.sockets[0].getsockname()[1]}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # it ends with whoever started it


def main() -> None:
    """Start by hand or by the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="directory of a Vosk model")
    asyncio.run(run(parser.parse_args().model))


if __name__ == "__main__":
    main()
