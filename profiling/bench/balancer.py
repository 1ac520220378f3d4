"""One address for several instances: a proxy that gives each connection to the least busy one.

    python -m profiling.bench.balancer PORT BACKEND_PORT...

It copies bytes and knows no HTTP. A platform's own load balancer decides per request; here a
connection carries one request at a time, and most keep to a few connections, so it comes close.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from profiling.server import HOST

BLOCK_BYTES = 65536


async def main(port: int, backends: list[int]) -> None:
    """Listen, say so in a line, and serve until the process is ended."""
    open_connections = dict.fromkeys(backends, 0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend = min(backends, key=open_connections.__getitem__)
        open_connections[backend] += 1
        try:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, backend)
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        except OSError:
            writer.close()
        finally:
            open_connections[backend] -= 1

    server = await asyncio.start_server(serve, HOST, port)
    print("listening", flush=True)
    await server.serve_forever()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
