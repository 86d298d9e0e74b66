"""mitmproxy's own program, with the interceptor in it.

Its command line, configuration file and signal handling are kept; see `mitmproxy.tools.main`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn, cast

import click
from mitmproxy.addons.termlog import TermLog
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.tools import cmdline, main

from addon.commands.announcer import Announcer
from addon.commands.options import DEFAULT_LISTEN, AddressType
from addon.dashboard import Dashboard
from addon.interceptor import Interceptor

type Face = Literal["web", "dump", "console"]
type _Parser = Callable[[Options], argparse.ArgumentParser]

WEB_COLUMNS = ["tls", "icon", "path", "method", "status", "comment", "size", "time"]
"""mitmweb's own, and the comment that says where a call went."""

# mitmproxy annotates little: what its functions take is said here, once.
_PARSERS = cast(
    "dict[Face, _Parser]",
    {"web": cmdline.mitmweb, "dump": cmdline.mitmdump, "console": cmdline.mitmproxy},  # pyright: ignore[reportUnknownMemberType] - unannotated
)
_run = cast("Any", main).run


def run_mitmproxy(
    ui: Face,
    chosen: dict[str, object],
    arguments: Sequence[str],
    *,
    end_with_stdin: bool,
) -> None:
    """Run until a signal comes.

    Args:
        ui: mitmproxy's face.
        chosen: Options that nothing else may override.
        arguments: mitmproxy's own command line.
        end_with_stdin: Whether to end also when standard input does.
    """
    make_parser = _PARSERS[ui]

    def parser(options: Options) -> argparse.ArgumentParser:
        made = make_parser(options)
        made.prog = "detour serve --"
        made.error = _wrong_usage
        if ui != "dump":
            made.set_defaults(filter_args=[])
        return made

    def extra(parsed: argparse.Namespace) -> dict[str, Any]:
        expression = " ".join(parsed.filter_args)
        names = ("save_stream_filter", "readfile_filter", "dumper_filter") if expression else ()
        return {**dict.fromkeys(names, expression), **chosen}

    defaults = AddressType().convert(DEFAULT_LISTEN, None, None)
    listen = ["--listen-host", defaults.host, "--listen-port", str(defaults.port)]

    def make(options: Options) -> Master:
        return build_master(ui, options, end_with_stdin=end_with_stdin)

    _run(make, parser, [*listen, *arguments], extra)


def build_master(ui: Face, options: Options, *, end_with_stdin: bool = False) -> Master:
    """Make a mitmproxy of the wanted face with the interceptor in it."""
    master: Any
    match ui:
        case "web":
            # Each face is imported when it is wanted: the others cost a quarter of a second.
            from mitmproxy.tools.web.master import WebMaster

            master = WebMaster(options, with_termlog=False)
            master.options.update(web_open_browser=False, web_columns=WEB_COLUMNS)
        case "dump":
            from mitmproxy.tools.dump import DumpMaster

            master = DumpMaster(options, with_termlog=False)
        case "console":
            from mitmproxy.tools.console.master import ConsoleMaster

            master = ConsoleMaster(options)
    if ui != "console":
        # Standard output belongs to the line that scripts wait for, and to the flows of `dump`.
        master.addons.add(TermLog(sys.stderr))
    interceptor = Interceptor()
    dashboard = Dashboard(interceptor.books)
    add_addons(master, interceptor, dashboard)
    master.addons.add(Announcer(dashboard, quiet=ui == "console", end_with_stdin=end_with_stdin))
    return master


def add_addons(master: Master, *addons: object) -> None:
    """Add addons where mitmproxy would load a script.

    At the end of the chain it would come after mitmproxy's own choice of layers and of TLS.
    """
    manager: Any = master.addons
    place = manager.chain.index(manager.get("scriptloader"))
    manager.chain[place:place] = [manager.register(addon) for addon in addons]


def _wrong_usage(message: str) -> NoReturn:
    raise click.UsageError(f"mitmproxy's options: {message}")
