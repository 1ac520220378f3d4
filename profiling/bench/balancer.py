"""One address for several instances: a proxy that gives each connection to the least busy one.

    python -m profiling.bench.balancer PORT BACKEND_PORT...

It copies bytes and knows no HTTP. A platform's own load balancer decides per request; here a
connection carries one request at a time, and most keep to a few connections, so it comes close.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

HOST = "127.0.0.1"
BLOCK_BYTES = 65536


class Balancer:
    def __init__(self, backends: list[int]) -> None:
        self._open = dict.fromkeys(backends, 0)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection from beginning to end."""
        backend = min(self._open, key=self._open.__getitem__)
        self._open[backend] += 1
        try:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, backend)
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        except OSError:
            writer.close()
        finally:
            self._open[backend] -= 1


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
    writer.close()


async def main(port: int, backends: list[int]) -> None:
    server = await asyncio.start_server(Balancer(backends).connect, HOST, port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
