"""Start the function as the image does, so that its first answer comes soon.

    python -I -S function/start.py     # what the image and `make run` start
    python -m function.start           # the same, with all that Python does at its start

Listens on $HOST and $PORT. Python's `site` is left out (-S), so this file finds the packages by
itself; what a start imports comes from one file, where there is one (function/bytecode.py).
"""

import sys
from os import O_RDWR, fstat, open
from os.path import abspath, dirname

if __name__ == "__main__":
    for descriptor in range(3):  # a closed one would become a socket, and be written to
        try:
            fstat(descriptor)
        except OSError:
            open("/dev/null", O_RDWR)
    here = dirname(abspath(__file__))  # noqa: PTH100, PTH120 (pathlib costs a start)
    root = dirname(here)  # noqa: PTH120
    if here in sys.path:  # run as a file: `http` is Python's own
        sys.path.remove(here)
    if root not in sys.path:
        sys.path.insert(0, root)
    if sys.flags.no_site:
        environment = dirname(dirname(sys.executable))  # noqa: PTH120
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        sys.path.append(f"{environment}/lib/{version}/site-packages")
    from function.packed import install

    install(root)
    from function.process import main

    main(sys.argv[1:], f"{__doc__}")
