"""`offhook campaign`: make campaigns, fill them, give them orders, and ask why somebody has, or has not, been called.

Works on the database alone, through the same functions as the server: a running `offhook serve` learns of an order from the
log within a second and carries it out. Nothing is dialled from here. One module a command.
"""

from __future__ import annotations

import typer

from api.commands.campaign.create import create
from api.commands.campaign.explaining import explain
from api.commands.campaign.fill import import_
from api.commands.campaign.ordering import budget, pause, resume, start, stop
from api.commands.campaign.preflight import preflight
from api.commands.campaign.status import status

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command(no_args_is_help=True, short_help="Make a campaign.")(create)
app.command("import", no_args_is_help=True, short_help="Fill it from a CSV file.")(import_)
app.command(no_args_is_help=True, short_help="How it would go, before it starts.")(preflight)
app.command(no_args_is_help=True, short_help="Let it call.")(start)
app.command(no_args_is_help=True, short_help="Dial nobody new for now.")(pause)
app.command(no_args_is_help=True, short_help="Go on after a pause.")(resume)
app.command(no_args_is_help=True, short_help="End it for good.")(stop)
app.command(no_args_is_help=True, short_help="What all its calls may cost together.")(budget)
app.command(short_help="How far it is.")(status)
app.command(no_args_is_help=True, short_help="Why somebody has, or has not, been called.")(explain)
