"""The options about what is read, how it is judged and what is shown, the same for every verb that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE|DIR|GLOB|-", help="Captures: pcap or pcapng, also gz, xz, zst.", show_default=False),
]
Read = Annotated[list[str] | None, typer.Option("-r", "--read", metavar="FILE", help="The same, as tshark has it.")]
Together = Annotated[bool, typer.Option("--together", help="Let the controls of one file serve the others.")]
Parts = Annotated[str | None, typer.Option("--parts", metavar="10m", help="Judge long captures in parts this long.")]
Only = Annotated[list[str] | None, typer.Option("--technique", metavar="ID", help="Only this technique (repeatable).")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="ID.FIELD=VALUE", help="Change a threshold.")]
Plugins = Annotated[list[Path] | None, typer.Option("--plugins", metavar="DIR|FILE", help="Techniques of your own.")]
Format = Annotated[str, typer.Option("--format", metavar="NAME", help="text, html, md, json, jsonl, csv or parquet.")]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the report there.")]
Why = Annotated[bool, typer.Option("--why", help="Show the sum behind each verdict, line by line.")]
All = Annotated[bool, typer.Option("--all", help="List every target that works, too.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, metavar="N", help="Files judged at once; as many as cores.")]
WithVantage = Annotated[bool, typer.Option("--with-vantage", help="Keep the client's addresses in the report.")]
FailOn = Annotated[list[str] | None, typer.Option("--fail-on", metavar="STATE", help="Exit 10 if a target has it.")]
Filter = Annotated[
    str | None, typer.Option("-Y", "--display-filter", metavar="FILTER", help="Only conversations that match it.")
]
Keylog = Annotated[
    Path | None, typer.Option("--keylog", metavar="FILE", help="Secrets of TLS sessions of your own (SSLKEYLOGFILE).")
]
Excerpt = Annotated[
    Path | None, typer.Option("-w", "--write", metavar="OUT.pcapng", help="Write the packets that decide, annotated.")
]
Service = Annotated[
    list[str] | None,
    typer.Option("--service", metavar="NAME|FILE", help="Only this service and controls (repeatable)."),
]
