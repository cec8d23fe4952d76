"""Several plans at once on your own event loop, with async capabilities.

$ python examples/embedding/many.py
"""

from __future__ import annotations

import asyncio
from typing import Any

import rtfs

PLAN = """
(let [weather (call "weather.get" @city)]
  (format "%s: %d degrees" @city (:degrees weather)))
"""


async def weather(city: str) -> Any:
    """An example of something slow."""
    await asyncio.sleep(0.01)
    return rtfs.from_python({"degrees": len(city)}, keywords=True)


async def main() -> None:
    async with rtfs.Runtime() as runtime:
        runtime.register("weather.get", weather)
        cities = ["Rome", "Lisbon", "Reykjavik"]
        for line in await asyncio.gather(*(runtime.arun(PLAN, {"city": city}) for city in cities)):
            print(line)

        slow = runtime.arun('(do (thread/sleep 60000) "never")', timeout=0.05)
        try:
            await slow
        except rtfs.LimitError as error:
            print(error.code)


if __name__ == "__main__":
    asyncio.run(main())
