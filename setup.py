"""Compiles the modules that pyproject.toml lists under `tool.offhook.compiled`, if OFFHOOK_COMPILE=1 asks for it.

Everything else about the package stands in pyproject.toml, and an ordinary installation needs no compiler. `make fast` asks.
"""

import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_ext import build_ext


class ManyAtOnce(build_ext):
    """Hands the C files of one library to as many compilers as there are cores; setuptools takes one after the other."""

    def build_extensions(self) -> None:
        compile_in_turn = self.compiler.compile

        def compile_all(sources: list[str], **options: Any) -> list[str]:
            largest_first = sorted(sources, key=os.path.getsize, reverse=True)
            with ThreadPoolExecutor(os.cpu_count()) as compilers:
                built = compilers.map(lambda source: compile_in_turn([source], **options), largest_first)
                return [each for objects in built for each in objects]

        self.compiler.compile = compile_all
        super().build_extensions()


def compiled() -> dict[str, Any]:
    """What setup() needs to know to compile; nothing if nobody asked."""
    if os.environ.get("OFFHOOK_COMPILE") != "1":
        return {}
    from mypyc.build import mypycify

    ours = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["offhook"]
    modules = [module.replace(".", "/") + ".py" for module in ours["compiled"]]
    extensions = mypycify(modules, group_name="offhook", multi_file=True, opt_level="2", debug_level="0")
    return {"ext_modules": extensions, "cmdclass": {"build_ext": ManyAtOnce}}


setup(**compiled())
